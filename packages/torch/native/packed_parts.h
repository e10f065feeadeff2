// What a layer is packed for: oneDNN (packed_by_onednn.cc), or where its headers were not there to compile with, libtorch
// (packed_by_libtorch.cc). Sizes were checked before.
#pragma once
#include <memory>
#include <vector>

#include "packed_layers.h"

namespace magface {

/// All of a convolution but its kernels' values.
struct ConvolutionLayer {
  std::vector<int64_t> kernels;  // (O, I / groups, h, w)
  at::Tensor bias;               // (O) float32
  Geometry geometry;
  Limits limits;

  /// Height and width of the result.
  std::array<int64_t, 2> result_size(at::IntArrayRef x) const { return geometry.result_size(x, kernels, geometry.after); }
};

struct ConvolutionPart {
  virtual ~ConvolutionPart() = default;
  /// y = limits(W * x + b), or where `sums`, limits(W * x + b + y)
  virtual void run(const at::Tensor& x, const at::Tensor& y, bool sums) = 0;
};
/// `layer` outlives it.
std::unique_ptr<ConvolutionPart> convolution_part(const at::Tensor& weight, const ConvolutionLayer& layer);

struct LinearPart {
  virtual ~LinearPart() = default;
  /// x (N, I) of packed_type() -> (N, O) float32
  virtual at::Tensor run(const at::Tensor& x) = 0;
};
std::unique_ptr<LinearPart> linear_part(const at::Tensor& weight, const at::Tensor& bias);

}  // namespace magface
