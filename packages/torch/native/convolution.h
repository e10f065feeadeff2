// conv2d in float32 by whichever of three ways is the fastest, for training.
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
  /// Height and width of W * x, where W is (K, C, height, width) and `after` the zeros below and right.
  std::array<int64_t, 2> result_size(at::IntArrayRef x, at::IntArrayRef weight, std::array<int64_t, 2> after) const;
  /// For a backward pass, which reads it by kept().
  void keep(torch::autograd::AutogradContext& context) const;
  static ConvolutionShape kept(torch::autograd::AutogradContext& context);
};

enum class Way { conv2d, blocks, winograd };
/// The fastest way that takes these. What conv2d would refuse, and other types than float32, are left to it.
Way fastest_way(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const ConvolutionShape& shape);

/// `source` is what the backward pass needs of x: x itself, or what was made of it.
struct ConvolutionForward {
  at::Tensor y, source;
};
/// y = W * x + b, not recorded by autograd; bias may be undefined.
ConvolutionForward forward_by(Way way, const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                              const ConvolutionShape& shape);
/// Gradients of x, W and b, undefined where not wanted. `source` is the forward pass's, and then that of b is wanted wherever
/// there was one; or it is x itself.
std::array<at::Tensor, 3> backward_by(Way way, const at::Tensor& dy, const at::Tensor& source, at::IntArrayRef x_sizes,
                                      const at::Tensor& weight, const ConvolutionShape& shape, std::array<bool, 3> wanted);

}  // namespace magface
