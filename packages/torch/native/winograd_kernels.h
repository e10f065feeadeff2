// The loops of Winograd's algorithm (winograd_transforms.h), compiled for AVX2 with FMA: a tile of 4 x 4 results from 36
// products a channel, or 81 in steps of two, where 144 are multiplied otherwise.
#pragma once
#include <cstdint>

namespace magface::winograd {

constexpr int64_t lanes = 16;

/// In steps of one; in steps of two, from an image to one half as large; and back, for gradients. The last two have tiles of
/// 2 x 2 results: more products, by fewer values of the kernels.
enum class Tiling { same, halved, doubled, same_by_two, halved_by_two };
constexpr bool is_by_two(Tiling tiling) { return tiling == Tiling::same_by_two || tiling == Tiling::halved_by_two; }
/// Height and width of a tile: the smaller of two images' pixels.
constexpr int64_t tile_of(Tiling tiling) { return is_by_two(tiling) ? 2 : 4; }
/// Values of a transformed kernel.
constexpr int64_t kernel_points_of(Tiling tiling) { return is_by_two(tiling) ? 16 : 36; }
/// Products a tile and channel.
constexpr int64_t points_of(Tiling tiling) {
  switch (tiling) {
    case Tiling::same: return 36;
    case Tiling::same_by_two: return 16;
    case Tiling::halved_by_two: return 25;
    default: return 81;
  }
}

/// An image (N, height, width, channels), cut into tiles; the channels are a multiple of `lanes`.
struct Tiled {
  int64_t height, width, channels;
  int64_t rows, columns;  // tiles of one image
  int64_t step;           // pixels from a tile to the next
  int64_t before[2];      // zeros above and left of its first pixel
};

/// Of the tiles in a chunk, `count` of them from the image's tile `first`.
struct Chunk {
  int64_t first, count;
};

/// What is done to a pixel that is read: x · scale + offset
struct Entry {
  const float* scale = nullptr;  // (C), or null
  const float* offset = nullptr;
};

/// What is done to a result: y = limits(PReLU(y + bias + sum))
struct Finish {
  const float* bias = nullptr;   // (K), or null
  const float* sum = nullptr;    // as y, which it may be, or null
  const float* slope = nullptr;  // (K), or null
  float low = -__builtin_inff(), high = __builtin_inff();
};

// Panels: (point, channels / 16, row, 16), so that what is multiplied lies side by side. A row is a tile of a chunk, or a channel
// of the other side.

/// Values from one point's panels to the next one's: a line of the cache more than they have, or all points of a tile would fall
/// on the same few lines of it.
constexpr int64_t point_stride(int64_t channels, int64_t rows) { return channels * rows + lanes; }

/// Bᵀ d B of tiles [from, to) of the chunk -> v, panels of C by tile
void image_panels(Tiling tiling, const float* x, const Tiled& image, const Entry& entry, Chunk chunk, int64_t from, int64_t to,
                  float* v);
/// A dy Aᵀ of tiles [from, to) of the chunk -> z, panels of K by tile
void gradient_panels(Tiling tiling, const float* dy, const Tiled& image, Chunk chunk, int64_t from, int64_t to, float* z);
/// G g Gᵀ of one panel of the kernels (K, C, 3, 3) -> u, panels of K by channel of C; where `turned`, of the kernels turned
/// around, panels of C by channel of K
void kernel_panels(Tiling tiling, const float* kernels, int64_t k, int64_t c, bool turned, int64_t panel, float* u);
/// m = v u for the panels [from, to) of u, of which there are `panels` -> m, (to - from) panels by tile
void products(Tiling tiling, const float* v, const float* u, int64_t c, int64_t panels, int64_t from, int64_t to,
              int64_t count, float* m);
/// Aᵀ m A, finished -> channels [16 · from, 16 · to) of y's tiles
void results(Tiling tiling, const float* m, const Tiled& image, int64_t from, int64_t to, Chunk chunk, const Finish& finish,
             float* y);
/// d = vᵀ z over `count` tiles, or d += where `adds`: panels [from, to) of its 36 · K / 16, by channel of C
void gradient_products(Tiling tiling, const float* v, const float* z, int64_t c, int64_t k, int64_t count, bool adds,
                       int64_t from, int64_t to, float* d);
/// Gᵀ d G of panel `panel` of K -> its kernels' gradients in (K, C, 3, 3)
void kernel_gradients(Tiling tiling, const float* d, int64_t k, int64_t c, int64_t panel, float* gradients);

}  // namespace magface::winograd
