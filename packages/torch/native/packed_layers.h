// Convolutions and linear layers whose weights never change: cast once to the type that the processor is fastest in and
// kept in the order that it reads (packed_parts.h).
#pragma once
#include <ATen/core/Tensor.h>

#include <limits>
#include <memory>

#include "convolution.h"

namespace magface {

struct LinearPart;

/// What goes in and out: bfloat16 where the processor multiplies that itself, else float32.
at::ScalarType packed_type();

/// Whose padding is that above and left; below and right are others.
struct Geometry : ConvolutionShape {
  std::array<int64_t, 2> after;
};

/// Held to [low, high] at the end.
struct Limits {
  float low = -std::numeric_limits<float>::infinity(), high = std::numeric_limits<float>::infinity();
  bool any() const { return std::isfinite(low) || std::isfinite(high); }
};

/// What may be done on the way in and out, each of a channel: x · scale + offset, and PReLU. Undefined where it is not.
struct Lines {
  at::Tensor scale, offset, slope;
};

/// y = limits(W * x + b + sum)
class PackedConvolution {
 public:
  /// weight (O, I / groups, h, w) float32, bias (O) float32
  PackedConvolution(at::Tensor weight, at::Tensor bias, const Geometry& geometry, const Limits& limits);
  ~PackedConvolution();
  /// Whether the layer's loops do themselves, with an x like this, what lines before and behind it would.
  bool takes_lines(const at::Tensor& x) const;
  /// Where takes_lines(): y = limits(PReLU(W * (x · scale + offset) + b + sum)). Of x and `sum` see below.
  at::Tensor run(const Lines& lines, const at::Tensor& x, const at::Tensor& sum);
  /// x (N, I, H, W) of packed_type(), the channels last in memory; `sum` is undefined, or of y's shape: it becomes y.
  /// Throws c10::Error where one of them has other sizes.
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
  /// x (N, I) of packed_type() -> (N, O) float32; throws c10::Error where it has other sizes
  at::Tensor run(const at::Tensor& x);

 private:
  int64_t features_;
  std::unique_ptr<LinearPart> part_;
};

/// Which of the two: "oneDNN 2.6.0", or "libtorch".
const char* packed_by();

}  // namespace magface
