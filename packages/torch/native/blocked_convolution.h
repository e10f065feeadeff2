// conv2d that computes with the channels in blocks of 8, for which oneDNN's AVX2 kernels are faster than for channels
// last. Inputs and results are channels last all the same.
#pragma once
#include "convolution.h"

namespace magface {

/// Whether blocks are faster: AVX2 without AVX-512, kernels (O, I, h, w) above 1 x 1, no groups. False if compiled
/// without oneDNN's headers.
bool blocks_are_faster(at::IntArrayRef weight, const ConvolutionShape& shape);

/// y = W * x + b, not recorded by autograd; bias may be undefined. `source` is x in oneDNN's layout.
ConvolutionForward blocked_forward(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                                   const ConvolutionShape& shape);

/// Gradients of x, W and b, undefined where not wanted. `source` is x, or the `source` of the forward pass; in that
/// case the gradient of b must be wanted if there was a bias.
std::array<at::Tensor, 3> blocked_backward(const at::Tensor& dy, const at::Tensor& source, at::IntArrayRef x_sizes,
                                           const at::Tensor& weight, const ConvolutionShape& shape,
                                           std::array<bool, 3> wanted);

}  // namespace magface
