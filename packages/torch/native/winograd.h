// Convolutions of 3 x 3 in steps of one or two by Winograd's algorithm, in float32, the channels last. With AVX2 they are up to
// three times as fast as oneDNN's, and err about as much as those do: docs/speed.md has the figures.
#pragma once
#include <ATen/core/Tensor.h>

#include "convolution.h"
#include "winograd_kernels.h"

namespace magface::winograd {

/// Whether it wins: float32 with AVX2 alone, whole panels of channels, and images that tiles of 4 x 4 fit well enough.
bool wins(at::IntArrayRef x, at::IntArrayRef weight, const ConvolutionShape& shape);

/// Tiles of 4 x 4, which training has.
Tiling usual_tiling(const ConvolutionShape& shape);
/// The faster ones for inference: of 2 x 2 where few pixels come to large kernels.
Tiling best_tiling(at::IntArrayRef x, at::IntArrayRef weight, const ConvolutionShape& shape);

/// The kernels (K, C, 3, 3), transformed; where `turned`, for of_image().
at::Tensor transformed(const at::Tensor& weight, Tiling tiling, bool turned);
/// y (N, K, height, width) = W * x, and what `entry` and `finish` say; x is (N, C, H, W), u are the transformed kernels. Where y
/// is given it is written to.
at::Tensor forward(const at::Tensor& x, const at::Tensor& u, int64_t k, const ConvolutionShape& shape, Tiling tiling,
                   const Entry& entry, const Finish& finish, at::Tensor y = {});
/// Gradient of x, of these sizes.
at::Tensor of_image(const at::Tensor& dy, at::IntArrayRef x_sizes, const at::Tensor& weight, const ConvolutionShape& shape);
/// Gradient of W.
at::Tensor of_kernels(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& weight, const ConvolutionShape& shape);

}  // namespace magface::winograd
