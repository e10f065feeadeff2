// Backends of packed layers: oneDNN (packed_by_onednn.cc), or libtorch (packed_by_libtorch.cc) if compiled without
// oneDNN's headers. The caller has checked all sizes.
#pragma once
#include <memory>
#include <vector>

#include "packed_layers.h"

namespace magface {

/// A convolution without its weights.
struct ConvolutionLayer {
  std::vector<int64_t> kernels;  // (O, I / groups, h, w)
  at::Tensor bias;               // (O) float32
  Geometry geometry;
  Limits limits;

  /// Height and width of the result.
  std::array<int64_t, 2> result_size(at::IntArrayRef x) const { return geometry.result_size(x, kernels, geometry.padding_end); }
};

struct ConvolutionBackend {
  virtual ~ConvolutionBackend() = default;
  /// y = clamp(W * x + b), or clamp(W * x + b + y) if `accumulate`
  virtual void run(const at::Tensor& x, const at::Tensor& y, bool accumulate) = 0;
};
/// `layer` must outlive the result.
std::unique_ptr<ConvolutionBackend> make_convolution(const at::Tensor& weight, const ConvolutionLayer& layer);

struct LinearBackend {
  virtual ~LinearBackend() = default;
  /// x (N, I) of packed_type() -> (N, O) float32
  virtual at::Tensor run(const at::Tensor& x) = 0;
};
std::unique_ptr<LinearBackend> make_linear(const at::Tensor& weight, const at::Tensor& bias);

}  // namespace magface
