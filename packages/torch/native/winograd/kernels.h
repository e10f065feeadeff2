// The loops of Winograd's algorithm (transforms.h), compiled for AVX2 with FMA and for AVX-512. A tile of 4 x 4 results takes 36
// products per channel with stride 1 and 81 with stride 2; direct convolution takes 144.
#pragma once
#include <cstdint>

namespace magface::winograd {

constexpr int64_t panel_width = 16;

/// Stride 1; stride 2; and the backward pass of stride 2. The small ones have tiles of 2 x 2 results: more products,
/// but fewer transformed kernel values to read.
enum class Tiling { stride_1, stride_2, stride_2_backward, stride_1_small, stride_2_small };
constexpr bool is_small(Tiling tiling) { return tiling == Tiling::stride_1_small || tiling == Tiling::stride_2_small; }
/// Height and width of a tile, in pixels of the smaller image.
constexpr int64_t tile_of(Tiling tiling) { return is_small(tiling) ? 2 : 4; }
/// Number of values in a transformed kernel.
constexpr int64_t kernel_points_of(Tiling tiling) { return is_small(tiling) ? 16 : 36; }
/// Products per tile and channel.
constexpr int64_t points_of(Tiling tiling) {
  switch (tiling) {
    case Tiling::stride_1: return 36;
    case Tiling::stride_1_small: return 16;
    case Tiling::stride_2_small: return 25;
    default: return 81;
  }
}

/// An image (N, height, width, channels) cut into tiles; `channels` is a multiple of `panel_width`.
struct Tiled {
  int64_t height, width, channels;
  int64_t rows, columns;  // tiles of one image
  int64_t step;           // pixels from one tile to the next
  int64_t padding[2];      // zeros above and to the left
};

/// A range of `count` tiles, starting at tile `first`.
struct Chunk {
  int64_t first, count;
};

/// Applied to each pixel that is read: x · scale + offset
struct Prologue {
  const float* scale = nullptr;  // (C), or null
  const float* offset = nullptr;
};

/// Applied to each result: y = clamp(PReLU(y + bias + sum))
struct Epilogue {
  const float* bias = nullptr;   // (K), or null
  const float* sum = nullptr;    // shape of y, may be y itself, or null
  const float* slope = nullptr;  // (K), or null
  float low = -__builtin_inff(), high = __builtin_inff();
};

// Panels: (point, channels / 16, row, 16), so that factors are contiguous. A row is a tile of a chunk, or a channel of
// the other operand.

/// Distance between the panels of two points: one cache line more than their size, because otherwise all points of a
/// tile would map to the same few cache lines.
constexpr int64_t point_stride(int64_t channels, int64_t rows) { return channels * rows + panel_width; }

/// The loops, compiled for one instruction set.
struct Kernels {
  /// Tiles whose products are summed at a time: a chunk should have a multiple of them.
  int64_t rows;
  /// Bᵀ d B of tiles [from, to) of the chunk -> v, panels of C by tile
  void (*image_panels)(Tiling tiling, const float* x, const Tiled& image, const Prologue& prologue, Chunk chunk, int64_t from,
                    int64_t to, float* v);
  /// A dy Aᵀ of tiles [from, to) of the chunk -> z, panels of K by tile
  void (*gradient_panels)(Tiling tiling, const float* dy, const Tiled& image, Chunk chunk, int64_t from, int64_t to, float* z);
  /// G g Gᵀ of one panel of the kernels (K, C, 3, 3) -> u, panels of K by channel of C. If `rotated`, the kernels are
  /// rotated by 180°, and u is panels of C by channel of K.
  void (*kernel_panels)(Tiling tiling, const float* kernels, int64_t k, int64_t c, bool rotated, int64_t panel, float* u);
  /// m = v u for panels [from, to) of the `panels` panels of u -> m, (to - from) panels by tile
  void (*products)(Tiling tiling, const float* v, const float* u, int64_t c, int64_t panels, int64_t from, int64_t to,
                int64_t count, float* m);
  /// Aᵀ m A with the epilogue -> channels [16 · from, 16 · to) of y's tiles
  void (*results)(Tiling tiling, const float* m, const Tiled& image, int64_t from, int64_t to, Chunk chunk, const Epilogue& epilogue,
               float* y);
  /// d = vᵀ z over `count` tiles, or d += if `adds`, for panels [from, to) of the 36 · K / 16 panels, by channel of C
  void (*gradient_products)(Tiling tiling, const float* v, const float* z, int64_t c, int64_t k, int64_t count, bool adds,
                         int64_t from, int64_t to, float* d);
  /// Gᵀ d G of one panel of K -> the gradients of its kernels in (K, C, 3, 3)
  void (*kernel_gradients)(Tiling tiling, const float* d, int64_t k, int64_t c, int64_t panel, float* gradients);
};

/// Those for this processor, or for the set that MAGFACE_KERNELS names.
const Kernels& kernels();

}  // namespace magface::winograd
