// Includes nothing beside its own two headers: an inline function of another one, compiled for AVX2, could be the copy that the
// linker keeps for all.
#include "winograd_kernels.h"

#include "winograd_transforms.h"

namespace magface::winograd {
namespace {

/// Calls body with the type of the transforms.
template <typename Body>
INLINE void with(Tiling tiling, Body body) {
  switch (tiling) {
    case Tiling::same: return body(Same());
    case Tiling::halved: return body(Halved());
    case Tiling::doubled: return body(Doubled());
    case Tiling::same_by_two: return body(SameByTwo());
    default: return body(HalvedByTwo());
  }
}
/// Where kernels are transformed, which Doubled has from Halved.
template <typename Body>
INLINE void with_kernels_of(Tiling tiling, Body body) {
  switch (tiling) {
    case Tiling::same: return body(Same());
    case Tiling::same_by_two: return body(SameByTwo());
    case Tiling::halved_by_two: return body(HalvedByTwo());
    default: return body(Halved());
  }
}
/// For gradients of kernels.
template <typename Body>
INLINE void with_gradients_of(Tiling tiling, Body body) {
  return tiling == Tiling::same ? body(Same()) : body(Halved());
}

/// The point of the kernels that point `f` of a tile is multiplied with.
int64_t kernel_point(Tiling tiling, int64_t f) {
  int64_t point = 0;
  with(tiling, [&]<typename Way>(Way) {
    point = Way::kernel_of(f / Way::side) * Way::kernel_side + Way::kernel_of(f % Way::side);
  });
  return point;
}

/// A tile's place: of its image, and of its first pixel in it.
struct Place {
  int64_t image, y, x;
  INLINE Place(const Tiled& t, int64_t index)
      : image(index / (t.rows * t.columns)),
        y(index / t.columns % t.rows * t.step - t.before[0]),
        x(index % t.columns * t.step - t.before[1]) {}
};

/// Where the channels of a tile's size x size pixels begin, -1 outside of the image.
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

/// Of the eight channels from `channel`: where they are in panels that have `rows` rows, in that of row 0.
INLINE int64_t in_panels(int64_t channel, int64_t rows) { return channel / lanes * lanes * rows + channel % lanes; }

/// size x size pixels of each tile, transformed, as panels.
template <int size, int side, typename Transform>
INLINE void panels_of(Transform transform, const float* x, const Tiled& t, const Entry& entry, Chunk chunk, int64_t from,
                      int64_t to, float* panels) {
  const int64_t next = point_stride(t.channels, chunk.count);
  for (int64_t i = from; i < to; ++i) {
    int64_t offsets[size][size];
    locate(t, chunk.first + i, offsets);
    for (int64_t channel = 0; channel < t.channels; channel += eight) {
      float* row = panels + in_panels(channel, chunk.count) + i * lanes;
      const auto write = [&](int a, int b, Eight value) {
        store(row + (a * side + b) * next, value);
      };
      const auto pixel = [&](int dy, int dx) {
        const int64_t offset = offsets[dy][dx];
        return offset < 0 ? Eight{} : load(x + offset + channel);
      };
      if (!entry.scale) {
        both_ways<size, side>(transform, pixel, write);
        continue;
      }
      const Eight scale = load(entry.scale + channel), offset = load(entry.offset + channel);
      const auto line = [&](int dy, int dx) { return offsets[dy][dx] < 0 ? Eight{} : scale * pixel(dy, dx) + offset; };
      both_ways<size, side>(transform, line, write);
    }
  }
}

INLINE Eight bent(Eight value, Eight slope) { return value > 0 ? value : value * slope; }
INLINE Eight held(Eight value, const Finish& limits) {
  const Eight low = limits.low - Eight{}, high = limits.high - Eight{};
  value = value < low ? low : value;
  return value > high ? high : value;
}

/// c (rows x 16) = or += a b: `segments` times `depth` products, whose a lie `a_step` apart for each row of c, `a_next` for
/// each product and `a_segment` for each segment; b has rows of 16 without a gap. Where it `fetches`, what lies `ahead` of b is
/// brought nearer meanwhile.
template <int rows, bool fetches>
INLINE void multiply(bool adds, int64_t segments, int64_t depth, const float* a, int64_t a_step, int64_t a_next,
                     int64_t a_segment, const float* b, int64_t ahead, float* c) {
  Eight sum[rows][2];
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < 2; ++j) sum[i][j] = adds ? *(const Eight*)(c + i * lanes + j * 8) : Eight{};
  for (; segments > 0; --segments, a += a_segment) {
    const float* at = a;
#pragma GCC unroll 4
    for (int64_t k = 0; k < depth; ++k, at += a_next, b += lanes) {
      if (fetches) __builtin_prefetch(b + ahead, 0, 2);
      const Eight low = *(const Eight*)b, high = *(const Eight*)(b + 8);
#pragma GCC unroll 8
      for (int i = 0; i < rows; ++i) {
        sum[i][0] += at[i * a_step] * low;
        sum[i][1] += at[i * a_step] * high;
      }
    }
  }
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < 2; ++j) *(Eight*)(c + i * lanes + j * 8) = sum[i][j];
}

constexpr int most_rows = 6;  // 12 sums, a row of b and an element of a in 16 registers

void multiply_rows(int64_t rows, int64_t segments, const float* a, int64_t a_segment, const float* b, int64_t ahead,
                   float* c) {
  const auto by = [&]<int n>() { multiply<n, true>(false, segments, lanes, a, lanes, 1, a_segment, b, ahead, c); };
  switch (rows) {
    case 1: return by.template operator()<1>();
    case 2: return by.template operator()<2>();
    case 3: return by.template operator()<3>();
    case 4: return by.template operator()<4>();
    case 5: return by.template operator()<5>();
    default: return by.template operator()<most_rows>();
  }
}

/// The 16 rows of channels of a panel of v, by a panel of z.
INLINE void multiply_panel(bool adds, int64_t count, const float* v, const float* z, float* d) {
  multiply<6, false>(adds, 1, count, v, 1, lanes, 0, z, 0, d);
  multiply<5, false>(adds, 1, count, v + 6, 1, lanes, 0, z, 0, d + 6 * lanes);
  multiply<5, false>(adds, 1, count, v + 11, 1, lanes, 0, z, 0, d + 11 * lanes);
}

}  // namespace

void image_panels(Tiling tiling, const float* x, const Tiled& image, const Entry& entry, Chunk chunk, int64_t from, int64_t to,
                  float* v) {
  with(tiling, [&]<typename Way>(Way) {
    panels_of<Way::in, Way::side>([](const auto& d, auto& t) { Way::image(d, t); }, x, image, entry, chunk, from, to, v);
  });
}

void gradient_panels(Tiling tiling, const float* dy, const Tiled& image, Chunk chunk, int64_t from, int64_t to, float* z) {
  with_gradients_of(tiling, [&]<typename Way>(Way) {
    panels_of<Way::out, Way::side>([](const auto& y, auto& t) { Way::gradient(y, t); }, dy, image, {}, chunk, from, to, z);
  });
}

void kernel_panels(Tiling tiling, const float* kernels, int64_t k, int64_t c, bool turned, int64_t panel, float* u) {
  const int64_t across = turned ? k : c, panels = (turned ? c : k) / lanes;  // channels that are summed over, and the others
  const int64_t next = point_stride(panels * lanes, across);
  for (int64_t row = 0; row < across; ++row) {
    float values[9][lanes];
    for (int64_t i = 0; i < lanes; ++i) {
      const int64_t lane = panel * lanes + i;
      const float* kernel = kernels + (turned ? row * c + lane : lane * c + row) * 9;
      for (int j = 0; j < 9; ++j) values[j][i] = kernel[turned ? 8 - j : j];
    }
    for (int64_t half = 0; half < lanes; half += eight)
      with_kernels_of(tiling, [&]<typename Way>(Way) {
        constexpr int side = Way::kernel_side;
        float* at = u + (panel * across + row) * lanes + half;
        both_ways<3, side>([](const auto& g, auto& t) { Way::kernel(g, t); },
                           [&](int i, int j) { return load(values[i * 3 + j] + half); },
                           [&](int i, int j, Eight value) { store(at + (i * side + j) * next, value); });
      });
  }
}

void products(Tiling tiling, const float* v, const float* u, int64_t c, int64_t panels, int64_t from, int64_t to,
              int64_t count, float* m) {
  for (int64_t f = 0; f < points_of(tiling); ++f) {
    const int64_t point = kernel_point(tiling, f);
    for (int64_t panel = from; panel < to; ++panel)
      for (int64_t row = 0; row < count; row += most_rows)
        multiply_rows(count - row < most_rows ? count - row : most_rows, c / lanes,
                      v + f * point_stride(c, count) + row * lanes, count * lanes,
                      u + point * point_stride(panels * lanes, c) + panel * c * lanes,
                      row + most_rows < count ? 0 : c * lanes,  // the next panel, in time for its first rows
                      m + f * point_stride((to - from) * lanes, count) + ((panel - from) * count + row) * lanes);
  }
}

void results(Tiling tiling, const float* m, const Tiled& image, int64_t from, int64_t to, Chunk chunk, const Finish& finish,
             float* y) {
  with(tiling, [&]<typename Way>(Way) {
    constexpr int side = Way::side, size = Way::out;
    const int64_t next = point_stride((to - from) * lanes, chunk.count);
    for (int64_t i = 0; i < chunk.count; ++i) {
      int64_t offsets[size][size];
      locate(image, chunk.first + i, offsets);
      for (int64_t channel = from * lanes; channel < to * lanes; channel += eight) {
        const float* at = m + in_panels(channel - from * lanes, chunk.count) + i * lanes;
        both_ways<side, size>([](const auto& part, auto& done) { Way::result(part, done); },
                              [&](int a, int b) { return load(at + (a * side + b) * next); },
                              [&](int dy, int dx, Eight value) {
                                const int64_t offset = offsets[dy][dx] + channel;
                                if (offsets[dy][dx] < 0) return;
                                if (finish.bias) value += load(finish.bias + channel);
                                if (finish.sum) value += load(finish.sum + offset);
                                if (finish.slope) value = bent(value, load(finish.slope + channel));
                                store(y + offset, held(value, finish));
                              });
      }
    }
  });
}

void gradient_products(Tiling tiling, const float* v, const float* z, int64_t c, int64_t k, int64_t count, bool adds,
                       int64_t from, int64_t to, float* d) {
  for (int64_t unit = from; unit < to; ++unit) {
    const int64_t point = unit / (k / lanes), panel = unit % (k / lanes);
    bool has_some = adds;  // several points of a tile may share one of the kernels
    for (int64_t f = 0; f < points_of(tiling); ++f) {
      if (kernel_point(tiling, f) != point) continue;
      for (int64_t channel = 0; channel < c; channel += lanes)
        multiply_panel(has_some, count, v + f * point_stride(c, count) + channel * count,
                       z + f * point_stride(k, count) + panel * lanes * count,
                       d + point * point_stride(k, c) + (panel * c + channel) * lanes);
      has_some = true;
    }
  }
}

void kernel_gradients(Tiling tiling, const float* d, int64_t k, int64_t c, int64_t panel, float* gradients) {
  for (int64_t channel = 0; channel < c; ++channel) {
    float values[9][lanes];
    for (int64_t half = 0; half < lanes; half += eight)
      with_gradients_of(tiling, [&]<typename Way>(Way) {
        both_ways<6, 3>([](const auto& part, auto& g) { Way::kernel_gradient(part, g); },
                        [&](int i, int j) {
                          return load(d + (i * 6 + j) * point_stride(k, c) + (panel * c + channel) * lanes + half);
                        },
                        [&](int i, int j, Eight value) { store(values[i * 3 + j] + half, value); });
      });
    for (int j = 0; j < 9; ++j)
      for (int64_t i = 0; i < lanes; ++i) gradients[((panel * lanes + i) * c + channel) * 9 + j] = values[j][i];
  }
}

}  // namespace magface::winograd
