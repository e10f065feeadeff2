// conv2d for training in float32, by the fastest of three algorithms.
#pragma once
#include <ATen/core/Tensor.h>

#include <array>

namespace torch::autograd {
struct AutogradContext;
}

namespace magface {

/// Stride, padding, dilation and groups of a convolution, [vertical, horizontal].
struct ConvolutionShape {
  std::array<int64_t, 2> stride, padding, dilation;
  int64_t groups;
  /// Takes conv2d's arguments: each list has one number or two.
  ConvolutionShape(at::IntArrayRef stride, at::IntArrayRef padding, at::IntArrayRef dilation, int64_t groups);
  /// Height and width of W * x, where W is (K, C, height, width) and `padding_end` the zeros below and to the right.
  std::array<int64_t, 2> result_size(at::IntArrayRef x, at::IntArrayRef weight, std::array<int64_t, 2> padding_end) const;
  /// For the backward pass, which calls load().
  void save(torch::autograd::AutogradContext& context) const;
  static ConvolutionShape load(torch::autograd::AutogradContext& context);
};

enum class Algorithm { conv2d, blocks, winograd };
/// The fastest algorithm for these arguments. conv2d handles, and rejects, everything else.
Algorithm fastest_algorithm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                            const ConvolutionShape& shape);

/// `source` is x in the form that the backward pass needs: x itself or a reordered copy.
struct ConvolutionForward {
  at::Tensor y, source;
};
/// y = W * x + b, not recorded by autograd; bias may be undefined.
ConvolutionForward forward_by(Algorithm algorithm, const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                              const ConvolutionShape& shape);
/// Gradients of x, W and b, undefined where not wanted. `source` is x, or the `source` of the forward pass; in that
/// case the gradient of b must be wanted if there was a bias.
std::array<at::Tensor, 3> backward_by(Algorithm algorithm, const at::Tensor& dy, const at::Tensor& source,
                                      at::IntArrayRef x_sizes, const at::Tensor& weight, const ConvolutionShape& shape,
                                      std::array<bool, 3> wanted);

}  // namespace magface
