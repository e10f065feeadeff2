// Compiled for each instruction set, MAGFACE_ISA, with vectors of MAGFACE_WIDTH values. Include no other headers: the linker
// keeps one copy of an inline function, and that copy could be one that this processor cannot run.
#include "kernels.h"

#include "transforms.h"

namespace magface::winograd::MAGFACE_ISA {
namespace {

/// Calls body with the transforms of a tiling.
template <typename Body>
INLINE void with_transforms(Tiling tiling, Body body) {
  switch (tiling) {
    case Tiling::stride_1: return body(Stride1());
    case Tiling::stride_2: return body(Stride2());
    case Tiling::stride_2_backward: return body(Stride2Backward());
    case Tiling::stride_1_small: return body(Stride1Small());
    default: return body(Stride2Small());
  }
}
/// The same for transforms of kernels. Stride2Backward uses the kernels of Stride2.
template <typename Body>
INLINE void with_kernel_transforms(Tiling tiling, Body body) {
  switch (tiling) {
    case Tiling::stride_1: return body(Stride1());
    case Tiling::stride_1_small: return body(Stride1Small());
    case Tiling::stride_2_small: return body(Stride2Small());
    default: return body(Stride2());
  }
}
/// The same for gradients of kernels.
template <typename Body>
INLINE void with_gradient_transforms(Tiling tiling, Body body) {
  return tiling == Tiling::stride_1 ? body(Stride1()) : body(Stride2());
}

/// Index of the kernel's point that point `f` of a tile is multiplied by.
int64_t kernel_point(Tiling tiling, int64_t f) {
  int64_t point = 0;
  with_transforms(tiling, [&]<typename Transforms>(Transforms) {
    point = Transforms::kernel_of(f / Transforms::side) * Transforms::kernel_side +
            Transforms::kernel_of(f % Transforms::side);
  });
  return point;
}

/// Image of a tile, and its first pixel in that image.
struct Place {
  int64_t image, y, x;
  INLINE Place(const Tiled& t, int64_t index)
      : image(index / (t.rows * t.columns)),
        y(index / t.columns % t.rows * t.step - t.padding[0]),
        x(index % t.columns * t.step - t.padding[1]) {}
};

/// Offset of the channels of each of a tile's size x size pixels; -1 outside the image.
template <int size>
INLINE void locate(const Tiled& t, int64_t index, int64_t (&offsets)[size][size]) {
  const Place place(t, index);
  for (int dy = 0; dy < size; ++dy)
    for (int dx = 0; dx < size; ++dx) {
      const int64_t y = place.y + dy, x = place.x + dx;
      const bool is_inside = y >= 0 && y < t.height && x >= 0 && x < t.width;
      offsets[dy][dx] = is_inside ? ((place.image * t.height + y) * t.width + x) * t.channels : -1;
    }
}

/// Offset of the channels from `channel` on, in row 0 of panels with `rows` rows.
INLINE int64_t in_panels(int64_t channel, int64_t rows) {
  return channel / panel_width * panel_width * rows + channel % panel_width;
}

/// Transforms size x size pixels of each tile into panels.
template <int size, int side, typename Transform>
INLINE void panels_of(Transform transform, const float* x, const Tiled& t, const Prologue& prologue, Chunk chunk, int64_t from,
                      int64_t to, float* panels) {
  const int64_t next = point_stride(t.channels, chunk.count);
  for (int64_t i = from; i < to; ++i) {
    int64_t offsets[size][size];
    locate(t, chunk.first + i, offsets);
    for (int64_t channel = 0; channel < t.channels; channel += vector_width) {
      float* row = panels + in_panels(channel, chunk.count) + i * panel_width;
      const auto write = [&](int a, int b, Lanes value) {
        store(row + (a * side + b) * next, value);
      };
      const auto pixel = [&](int dy, int dx) {
        const int64_t offset = offsets[dy][dx];
        return offset < 0 ? Lanes{} : load(x + offset + channel);
      };
      if (!prologue.scale) {
        transform_2d<size, side>(transform, pixel, write);
        continue;
      }
      const Lanes scale = load(prologue.scale + channel), offset = load(prologue.offset + channel);
      const auto scaled = [&](int dy, int dx) { return offsets[dy][dx] < 0 ? Lanes{} : scale * pixel(dy, dx) + offset; };
      transform_2d<size, side>(transform, scaled, write);
    }
  }
}

INLINE Lanes prelu(Lanes value, Lanes slope) { return value > 0 ? value : value * slope; }
INLINE Lanes clamp(Lanes value, const Epilogue& epilogue) {
  const Lanes low = epilogue.low - Lanes{}, high = epilogue.high - Lanes{};
  value = value < low ? low : value;
  return value > high ? high : value;
}

/// Vectors in a row of a panel.
constexpr int parts = panel_width / vector_width;

/// c (rows x 16) = a b, or += if `adds`. Sums `segments` times `depth` products. Elements of a are `a_step` apart per
/// row of c, `a_next` per product and `a_segment` per segment; b has contiguous rows of 16. If `fetches`, prefetches b
/// + `ahead`.
template <int rows, bool fetches>
INLINE void multiply(bool adds, int64_t segments, int64_t depth, const float* a, int64_t a_step, int64_t a_next,
                     int64_t a_segment, const float* b, int64_t ahead, float* c) {
  Lanes sum[rows][parts];
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < parts; ++j) sum[i][j] = adds ? load(c + i * panel_width + j * vector_width) : Lanes{};
  for (; segments > 0; --segments, a += a_segment) {
    const float* at = a;
#pragma GCC unroll 4
    for (int64_t k = 0; k < depth; ++k, at += a_next, b += panel_width) {
      if (fetches) __builtin_prefetch(b + ahead, 0, 2);
      Lanes row[parts];
      for (int j = 0; j < parts; ++j) row[j] = load(b + j * vector_width);
#pragma GCC unroll 16
      for (int i = 0; i < rows; ++i)
        for (int j = 0; j < parts; ++j) sum[i][j] += at[i * a_step] * row[j];
    }
  }
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < parts; ++j) store(c + i * panel_width + j * vector_width, sum[i][j]);
}

/// Rows of c at a time: AVX2 has registers for 12 sums, one row of b (2) and one element of a, AVX-512 for twice as many.
constexpr int most_rows = parts == 1 ? 12 : 6;

template <int most>
void multiply_rows(int64_t rows, int64_t segments, const float* a, int64_t a_segment, const float* b, int64_t ahead, float* c) {
  if (rows < most) {
    if constexpr (most > 1) multiply_rows<most - 1>(rows, segments, a, a_segment, b, ahead, c);
    return;
  }
  multiply<most, true>(false, segments, panel_width, a, panel_width, 1, a_segment, b, ahead, c);
}

/// d = or += vᵀ z for one panel (16 channels) of v and one of z.
INLINE void multiply_panel(bool adds, int64_t count, const float* v, const float* z, float* d) {
  if constexpr (parts == 1) return multiply<16, false>(adds, 1, count, v, 1, panel_width, 0, z, 0, d);
  multiply<6, false>(adds, 1, count, v, 1, panel_width, 0, z, 0, d);
  multiply<5, false>(adds, 1, count, v + 6, 1, panel_width, 0, z, 0, d + 6 * panel_width);
  multiply<5, false>(adds, 1, count, v + 11, 1, panel_width, 0, z, 0, d + 11 * panel_width);
}

void image_panels(Tiling tiling, const float* x, const Tiled& image, const Prologue& prologue, Chunk chunk, int64_t from,
                  int64_t to, float* v) {
  with_transforms(tiling, [&]<typename Transforms>(Transforms) {
    panels_of<Transforms::in, Transforms::side>([](const auto& d, auto& t) { Transforms::image(d, t); }, x, image, prologue,
                                                chunk, from, to, v);
  });
}

void gradient_panels(Tiling tiling, const float* dy, const Tiled& image, Chunk chunk, int64_t from, int64_t to, float* z) {
  with_gradient_transforms(tiling, [&]<typename Transforms>(Transforms) {
    panels_of<Transforms::out, Transforms::side>([](const auto& y, auto& t) { Transforms::gradient(y, t); }, dy, image, {},
                                                 chunk, from, to, z);
  });
}

void kernel_panels(Tiling tiling, const float* kernels, int64_t k, int64_t c, bool rotated, int64_t panel, float* u) {
  // `across` counts the channels summed over, `panels` the panels of the other channels.
  const int64_t across = rotated ? k : c, panels = (rotated ? c : k) / panel_width;
  const int64_t next = point_stride(panels * panel_width, across);
  for (int64_t row = 0; row < across; ++row) {
    float values[9][panel_width];
    for (int64_t i = 0; i < panel_width; ++i) {
      const int64_t lane = panel * panel_width + i;
      const float* kernel = kernels + (rotated ? row * c + lane : lane * c + row) * 9;
      for (int j = 0; j < 9; ++j) values[j][i] = kernel[rotated ? 8 - j : j];
    }
    for (int64_t half = 0; half < panel_width; half += vector_width)
      with_kernel_transforms(tiling, [&]<typename Transforms>(Transforms) {
        constexpr int side = Transforms::kernel_side;
        float* at = u + (panel * across + row) * panel_width + half;
        transform_2d<3, side>([](const auto& g, auto& t) { Transforms::kernel(g, t); },
                           [&](int i, int j) { return load(values[i * 3 + j] + half); },
                           [&](int i, int j, Lanes value) { store(at + (i * side + j) * next, value); });
      });
  }
}

void products(Tiling tiling, const float* v, const float* u, int64_t c, int64_t panels, int64_t from, int64_t to,
              int64_t count, float* m) {
  for (int64_t f = 0; f < points_of(tiling); ++f) {
    const int64_t point = kernel_point(tiling, f);
    for (int64_t panel = from; panel < to; ++panel)
      for (int64_t row = 0; row < count; row += most_rows)
        multiply_rows<most_rows>(count - row < most_rows ? count - row : most_rows, c / panel_width,
                      v + f * point_stride(c, count) + row * panel_width, count * panel_width,
                      u + point * point_stride(panels * panel_width, c) + panel * c * panel_width,
                      row + most_rows < count ? 0 : c * panel_width,  // prefetch the next panel
                      m + f * point_stride((to - from) * panel_width, count) + ((panel - from) * count + row) * panel_width);
  }
}

void results(Tiling tiling, const float* m, const Tiled& image, int64_t from, int64_t to, Chunk chunk, const Epilogue& epilogue,
             float* y) {
  with_transforms(tiling, [&]<typename Transforms>(Transforms) {
    constexpr int side = Transforms::side, size = Transforms::out;
    const int64_t next = point_stride((to - from) * panel_width, chunk.count);
    for (int64_t i = 0; i < chunk.count; ++i) {
      int64_t offsets[size][size];
      locate(image, chunk.first + i, offsets);
      for (int64_t channel = from * panel_width; channel < to * panel_width; channel += vector_width) {
        const float* at = m + in_panels(channel - from * panel_width, chunk.count) + i * panel_width;
        transform_2d<side, size>([](const auto& part, auto& done) { Transforms::result(part, done); },
                              [&](int a, int b) { return load(at + (a * side + b) * next); },
                              [&](int dy, int dx, Lanes value) {
                                const int64_t offset = offsets[dy][dx] + channel;
                                if (offsets[dy][dx] < 0) return;
                                if (epilogue.bias) value += load(epilogue.bias + channel);
                                if (epilogue.sum) value += load(epilogue.sum + offset);
                                if (epilogue.slope) value = prelu(value, load(epilogue.slope + channel));
                                store(y + offset, clamp(value, epilogue));
                              });
      }
    }
  });
}

void gradient_products(Tiling tiling, const float* v, const float* z, int64_t c, int64_t k, int64_t count, bool adds,
                       int64_t from, int64_t to, float* d) {
  for (int64_t unit = from; unit < to; ++unit) {
    const int64_t point = unit / (k / panel_width), panel = unit % (k / panel_width);
    bool has_some = adds;  // several points of a tile may share one kernel point
    for (int64_t f = 0; f < points_of(tiling); ++f) {
      if (kernel_point(tiling, f) != point) continue;
      for (int64_t channel = 0; channel < c; channel += panel_width)
        multiply_panel(has_some, count, v + f * point_stride(c, count) + channel * count,
                       z + f * point_stride(k, count) + panel * panel_width * count,
                       d + point * point_stride(k, c) + (panel * c + channel) * panel_width);
      has_some = true;
    }
  }
}

void kernel_gradients(Tiling tiling, const float* d, int64_t k, int64_t c, int64_t panel, float* gradients) {
  for (int64_t channel = 0; channel < c; ++channel) {
    float values[9][panel_width];
    for (int64_t half = 0; half < panel_width; half += vector_width)
      with_gradient_transforms(tiling, [&]<typename Transforms>(Transforms) {
        transform_2d<6, 3>([](const auto& part, auto& g) { Transforms::kernel_gradient(part, g); },
                        [&](int i, int j) {
                          return load(d + (i * 6 + j) * point_stride(k, c) + (panel * c + channel) * panel_width + half);
                        },
                        [&](int i, int j, Lanes value) { store(values[i * 3 + j] + half, value); });
      });
    for (int j = 0; j < 9; ++j)
      for (int64_t i = 0; i < panel_width; ++i) gradients[((panel * panel_width + i) * c + channel) * 9 + j] = values[j][i];
  }
}

}  // namespace

extern const Kernels kernels{most_rows, image_panels, gradient_panels,   kernel_panels,
                             products,  results,      gradient_products, kernel_gradients};

}  // namespace magface::winograd::MAGFACE_ISA
