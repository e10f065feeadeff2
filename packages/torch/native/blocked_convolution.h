// conv2d whose inside has the channels in blocks of eight, which oneDNN's kernels for AVX2 are faster in than with the
// channels last. What goes in and comes out has the channels last all the same.
#pragma once
#include "convolution.h"

namespace magface {

/// Whether blocks win: AVX2 alone, a kernel (O, I, h, w) above 1 x 1, no groups, and oneDNN's headers were there to compile
/// with.
bool blocks_win(at::IntArrayRef weight, const ConvolutionShape& shape);

/// y = W * x + b, not recorded by autograd; bias may be undefined. `source` is x in oneDNN's order.
ConvolutionForward blocked_forward(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                                   const ConvolutionShape& shape);

/// Gradients of x, W and b, undefined where not wanted. `source` is the forward pass's, and then that of b is wanted wherever
/// there was one; or it is x itself.
std::array<at::Tensor, 3> blocked_backward(const at::Tensor& dy, const at::Tensor& source, at::IntArrayRef x_sizes,
                                           const at::Tensor& weight, const ConvolutionShape& shape,
                                           std::array<bool, 3> wanted);

}  // namespace magface
