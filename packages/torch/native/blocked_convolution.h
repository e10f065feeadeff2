// conv2d whose inside has the channels in blocks of eight, which oneDNN's kernels for AVX2 are faster in than with the
// channels last. What goes in and comes out has the channels last all the same.
#pragma once
#include <ATen/core/Tensor.h>

#include <array>

namespace torch::autograd {
struct AutogradContext;
}

namespace magface {

/// Of a convolution, height before width.
struct ConvolutionShape {
  std::array<int64_t, 2> stride, padding, dilation;
  int64_t groups;
  /// As conv2d is given them: each of the lists has one number or two.
  ConvolutionShape(at::IntArrayRef stride, at::IntArrayRef padding, at::IntArrayRef dilation, int64_t groups);
  /// For a backward pass, which reads it by kept().
  void keep(torch::autograd::AutogradContext& context) const;
  static ConvolutionShape kept(torch::autograd::AutogradContext& context);
};

/// Whether blocks win: float32 with AVX2 alone, a kernel above 1 x 1, no groups, and oneDNN's headers were there to compile
/// with. What conv2d would refuse is left to it too.
bool blocks_win(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const ConvolutionShape& shape);

/// y = W * x + b where blocks_win(), not recorded by autograd; bias may be undefined. `source` is x in oneDNN's order.
struct BlockedForward {
  at::Tensor y, source;
};
BlockedForward blocked_forward(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                               const ConvolutionShape& shape);

/// Gradients of x, W and b, undefined where not wanted. `source` is the forward pass's, and then that of b is wanted wherever
/// there was one; or it is x itself.
std::array<at::Tensor, 3> blocked_backward(const at::Tensor& dy, const at::Tensor& source, at::IntArrayRef x_sizes,
                                           const at::Tensor& weight, const ConvolutionShape& shape,
                                           std::array<bool, 3> wanted);

}  // namespace magface
