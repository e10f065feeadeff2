// Convolutions and linear layers with constant weights, cast once to the processor's fastest type and stored in the
// layout that the kernels read (packed_backends.h).
#pragma once
#include <ATen/core/Tensor.h>

#include <limits>
#include <memory>

#include "convolution.h"

namespace magface {

struct LinearBackend;

/// Type of inputs and results: bfloat16 if the processor supports it, else float32.
at::ScalarType packed_type();

/// `padding` is the padding above and to the left, `padding_end` the padding below and to the right.
struct Geometry : ConvolutionShape {
  std::array<int64_t, 2> padding_end;
};

/// Bounds of the clamp of a result.
struct Limits {
  float low = -std::numeric_limits<float>::infinity(), high = std::numeric_limits<float>::infinity();
  bool any() const { return std::isfinite(low) || std::isfinite(high); }
};

/// Per-channel operations fused into a convolution: x · scale + offset before it, PReLU after it. Undefined if absent.
struct FusedOps {
  at::Tensor scale, offset, slope;
};

/// y = clamp(W * x + b + sum)
class PackedConvolution {
 public:
  /// weight (O, I / groups, h, w) float32, bias (O) float32
  PackedConvolution(at::Tensor weight, at::Tensor bias, const Geometry& geometry, const Limits& limits);
  ~PackedConvolution();
  /// Whether the layer can fuse FusedOps for an x of this shape.
  bool can_fuse(const at::Tensor& x) const;
  /// y = clamp(PReLU(W * (x · scale + offset) + b + sum)), if can_fuse(x). x and `sum` as below.
  at::Tensor run(const FusedOps& ops, const at::Tensor& x, const at::Tensor& sum);
  /// x (N, I, H, W) of packed_type(), channels last in memory. `sum` is undefined or has y's shape; it is overwritten
  /// with y. Throws c10::Error if a size is wrong.
  at::Tensor run(const at::Tensor& x, const at::Tensor& sum);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

/// y = W x + b
class PackedLinear {
 public:
  /// weight (O, I) float32, bias (O) float32
  PackedLinear(at::Tensor weight, at::Tensor bias);
  ~PackedLinear();
  /// x (N, I) of packed_type() -> (N, O) float32; throws c10::Error if a size is wrong
  at::Tensor run(const at::Tensor& x);

 private:
  int64_t features_;
  std::unique_ptr<LinearBackend> part_;
};

/// Backend in use: "libtorch", or oneDNN with its version, such as "oneDNN 2.6.0".
const char* packed_by();

}  // namespace magface
