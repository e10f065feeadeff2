// 3 x 3 convolutions of stride 1 or 2 by Winograd's algorithm, float32, channels last. With AVX2 they are up to three
// times as fast as oneDNN's and about as accurate; docs/speed.md has the figures.
#pragma once
#include <ATen/core/Tensor.h>

#include "../convolution.h"
#include "kernels.h"

namespace magface::winograd {

/// Whether it is faster: AVX2 without AVX-512, channels in multiples of 16, and images that tiles of 4 x 4 fit well
/// enough.
bool is_faster(at::IntArrayRef x, at::IntArrayRef weight, const ConvolutionShape& shape);

/// Tiles of 4 x 4, used in training.
Tiling default_tiling(const ConvolutionShape& shape);
/// The fastest tiling for inference: tiles of 2 x 2 for few pixels and many kernels.
Tiling best_tiling(at::IntArrayRef x, at::IntArrayRef weight, const ConvolutionShape& shape);

/// Transforms the kernels (K, C, 3, 3); if `rotated`, for backward_data().
at::Tensor transform_kernels(const at::Tensor& weight, Tiling tiling, bool rotated);
/// y (N, K, height, width) = W * x with a prologue and epilogue; x is (N, C, H, W) and u holds the transformed kernels.
/// Writes to y if it is given.
at::Tensor forward(const at::Tensor& x, const at::Tensor& u, int64_t k, const ConvolutionShape& shape, Tiling tiling,
                   const Prologue& prologue, const Epilogue& epilogue, at::Tensor y = {});
/// Gradient of x, which has these sizes.
at::Tensor backward_data(const at::Tensor& dy, at::IntArrayRef x_sizes, const at::Tensor& weight,
                         const ConvolutionShape& shape);
/// Gradient of W.
at::Tensor backward_weights(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& weight,
                            const ConvolutionShape& shape);

}  // namespace magface::winograd
