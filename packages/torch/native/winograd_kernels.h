// Winograd's convolution F(4 x 4, 3 x 3) (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016):
// a tile of 4 x 4 results from 36 products a channel, where 144 are multiplied otherwise. winograd_kernels.cc has the loops,
// compiled for AVX2 with FMA.
//
// With g a kernel of 3 x 3, d the 6 x 6 pixels under a tile, and a sum over the input channels in the middle:
//   y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A
// whose gradient of the kernel is, summed over all tiles instead,
//   dg = Gᵀ [(A dy Aᵀ) ⊙ (Bᵀ d B)] G
// and whose gradient of the image is the convolution of dy with the kernels turned around, the channels swapped.
#pragma once
#include <cstdint>

namespace magface::winograd {

constexpr int64_t tile = 4, frequencies = 36, lanes = 16;

/// An image (N, height, width, channels), cut into tiles; the channels are a multiple of `lanes`.
struct Tiled {
  int64_t height, width, channels;
  int64_t rows, columns;  // tiles of one image
  int64_t top, left;      // zeros before its first pixel
};

/// What is done to a result: y = limits(y + bias + sum)
struct Finish {
  const float* bias = nullptr;  // (K), or null
  const float* sum = nullptr;   // as y, which it may be, or null
  float low = -__builtin_inff(), high = __builtin_inff();
};

// Panels: (frequency, channels / 16, row, 16), so that what is multiplied lies side by side. A row is a tile of `count`, or a
// channel of the other side.

/// Bᵀ d B of the tiles first + [from, to) -> rows [from, to) of v, panels of C by `count` tiles
void image_panels(const float* x, const Tiled& image, int64_t first, int64_t from, int64_t to, int64_t count, float* v);
/// A dy Aᵀ of the tiles first + [from, to) -> rows [from, to) of z, panels of K by `count` tiles
void gradient_panels(const float* dy, const Tiled& image, int64_t first, int64_t from, int64_t to, int64_t count,
                     float* z);
/// G g Gᵀ of panel `panel` of the kernels (K, C, 3, 3) -> u, panels of K by channel of C; where `turned`, of the kernels
/// turned around, panels of C by channel of K
void kernel_panels(const float* kernels, int64_t k, int64_t c, bool turned, int64_t panel, float* u);
/// m = v u for the panels [from, to) of u, of which there are `panels` -> m, (to - from) panels by tile
void products(const float* v, const float* u, int64_t c, int64_t panels, int64_t from, int64_t to, int64_t count, float* m);
/// Aᵀ m A, finished -> channels [16 · from, 16 · to) of y's tiles [first, first + count)
void results(const float* m, const Tiled& image, int64_t from, int64_t to, int64_t first, int64_t count, const Finish& finish,
             float* y);
/// d = vᵀ z over `count` tiles, or d += where `adds`: the panels [from, to) of 36 · K / 16
void gradient_products(const float* v, const float* z, int64_t c, int64_t k, int64_t count, bool adds, int64_t from,
                       int64_t to, float* d);
/// Gᵀ d G of panel `panel` of K -> its kernels' gradients in (K, C, 3, 3)
void kernel_gradients(const float* d, int64_t k, int64_t c, int64_t panel, float* gradients);

}  // namespace magface::winograd
