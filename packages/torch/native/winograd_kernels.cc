// Includes nothing beside its own two headers: an inline function of another one, compiled for AVX2, could be the copy that the
// linker keeps for all.
#include "winograd_kernels.h"

#include "winograd_transforms.h"

namespace magface::winograd {
namespace {

/// Calls body with the type of the transforms.
template <typename Body>
INLINE void with(Steps steps, Body body) {
  switch (steps) {
    case Steps::same: return body(Same());
    case Steps::halved: return body(Halved());
    default: return body(Doubled());
  }
}
/// Where kernels or their gradients are transformed, which Doubled has from Halved.
template <typename Body>
INLINE void with_kernels_of(Steps steps, Body body) {
  return steps == Steps::same ? body(Same()) : body(Halved());
}

/// The point of the kernels that point `f` of a tile is multiplied with.
INLINE int64_t kernel_point(Steps steps, int64_t f) {
  if (steps == Steps::same) return f;
  return Halved::kernel_of(f / Halved::side) * 6 + Halved::kernel_of(f % Halved::side);
}

/// A tile's place: of its image, and of its first pixel in it.
struct Place {
  int64_t image, y, x;
  INLINE Place(const Tiled& t, int64_t index)
      : image(index / (t.rows * t.columns)),
        y(index / t.columns % t.rows * t.step - t.before[0]),
        x(index % t.columns * t.step - t.before[1]) {}
};

/// Where the 16 channels from `channel` of a tile's pixel are, or -1 outside of the image.
INLINE int64_t offset_of(const Tiled& t, const Place& place, int dy, int dx, int64_t channel) {
  const int64_t y = place.y + dy, x = place.x + dx;
  if (y < 0 || y >= t.height || x < 0 || x >= t.width) return -1;
  return ((place.image * t.height + y) * t.width + x) * t.channels + channel;
}

alignas(64) constexpr float zeros[lanes] = {};

/// size x size pixels of each tile, transformed, as panels.
template <int size, int side, typename Transform>
INLINE void panels_of(Transform transform, const float* x, const Tiled& t, const Entry& entry, Chunk chunk, int64_t from,
                      int64_t to, float* panels) {
  for (int64_t i = from; i < to; ++i) {
    const Place place(t, chunk.first + i);
    for (int64_t channel = 0; channel < t.channels; channel += lanes) {
      Lanes in[size][size], out[side][side];
      for (int dy = 0; dy < size; ++dy)
        for (int dx = 0; dx < size; ++dx) {
          const int64_t offset = offset_of(t, place, dy, dx, channel);
          Lanes& pixel = in[dy][dx] = load(offset < 0 ? zeros : x + offset);
          if (entry.scale && offset >= 0) pixel = load(entry.scale + channel) * pixel + load(entry.offset + channel);
        }
      both_ways<size, side>(transform, in, out);
      float* row = panels + channel * chunk.count + i * lanes;
      for (int f = 0; f < side * side; ++f) store(row + f * t.channels * chunk.count, out[f / side][f % side]);
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
/// each product and `a_segment` for each segment; b has rows of 16 without a gap.
template <int rows>
INLINE void multiply(bool adds, int64_t segments, int64_t depth, const float* a, int64_t a_step, int64_t a_next,
                     int64_t a_segment, const float* b, float* c) {
  Eight sum[rows][2];
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < 2; ++j) sum[i][j] = adds ? *(const Eight*)(c + i * lanes + j * 8) : Eight{};
  for (; segments > 0; --segments, a += a_segment) {
    const float* at = a;
#pragma GCC unroll 4
    for (int64_t k = 0; k < depth; ++k, at += a_next, b += lanes) {
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

void multiply_rows(int64_t rows, int64_t segments, const float* a, int64_t a_segment, const float* b, float* c) {
  const auto by = [&]<int n>() { multiply<n>(false, segments, lanes, a, lanes, 1, a_segment, b, c); };
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
  multiply<6>(adds, 1, count, v, 1, lanes, 0, z, d);
  multiply<5>(adds, 1, count, v + 6, 1, lanes, 0, z, d + 6 * lanes);
  multiply<5>(adds, 1, count, v + 11, 1, lanes, 0, z, d + 11 * lanes);
}

}  // namespace

void image_panels(Steps steps, const float* x, const Tiled& image, const Entry& entry, Chunk chunk, int64_t from, int64_t to,
                  float* v) {
  with(steps, [&]<typename Way>(Way) {
    panels_of<Way::in, Way::side>([](const auto& d, auto& t) { Way::image(d, t); }, x, image, entry, chunk, from, to, v);
  });
}

void gradient_panels(Steps steps, const float* dy, const Tiled& image, Chunk chunk, int64_t from, int64_t to, float* z) {
  with_kernels_of(steps, [&]<typename Way>(Way) {
    panels_of<Way::out, Way::side>([](const auto& y, auto& t) { Way::gradient(y, t); }, dy, image, {}, chunk, from, to, z);
  });
}

void kernel_panels(Steps steps, const float* kernels, int64_t k, int64_t c, bool turned, int64_t panel, float* u) {
  const int64_t across = turned ? k : c, panels = (turned ? c : k) / lanes;  // channels that are summed over, and the others
  for (int64_t row = 0; row < across; ++row) {
    Lanes in[3][3], out[6][6];
    float values[9][lanes];
    for (int64_t i = 0; i < lanes; ++i) {
      const int64_t lane = panel * lanes + i;
      const float* kernel = kernels + (turned ? row * c + lane : lane * c + row) * 9;
      for (int j = 0; j < 9; ++j) values[j][i] = kernel[turned ? 8 - j : j];
    }
    for (int j = 0; j < 9; ++j) in[j / 3][j % 3] = load(values[j]);
    with_kernels_of(steps, [&]<typename Way>(Way) {
      both_ways<3, 6>([](const auto& g, auto& t) { Way::kernel(g, t); }, in, out);
    });
    for (int f = 0; f < kernel_points; ++f) store(u + ((f * panels + panel) * across + row) * lanes, out[f / 6][f % 6]);
  }
}

void products(Steps steps, const float* v, const float* u, int64_t c, int64_t panels, int64_t from, int64_t to,
              int64_t count, float* m) {
  for (int64_t f = 0; f < points_of(steps); ++f) {
    const int64_t point = kernel_point(steps, f);
    for (int64_t panel = from; panel < to; ++panel)
      for (int64_t row = 0; row < count; row += most_rows)
        multiply_rows(count - row < most_rows ? count - row : most_rows, c / lanes, v + f * c * count + row * lanes,
                      count * lanes, u + (point * panels + panel) * c * lanes,
                      m + ((f * (to - from) + panel - from) * count + row) * lanes);
  }
}

void results(Steps steps, const float* m, const Tiled& image, int64_t from, int64_t to, Chunk chunk, const Finish& finish,
             float* y) {
  with(steps, [&]<typename Way>(Way) {
    constexpr int side = Way::side, size = Way::out;
    for (int64_t i = 0; i < chunk.count; ++i) {
      const Place place(image, chunk.first + i);
      for (int64_t panel = from; panel < to; ++panel) {
        Lanes in[side][side], out[size][size];
        const float* at = m + ((panel - from) * chunk.count + i) * lanes;
        for (int f = 0; f < side * side; ++f) in[f / side][f % side] = load(at + f * (to - from) * chunk.count * lanes);
        both_ways<side, size>([](const auto& part, auto& done) { Way::result(part, done); }, in, out);
        for (int dy = 0; dy < size; ++dy)
          for (int dx = 0; dx < size; ++dx) {
            const int64_t offset = offset_of(image, place, dy, dx, panel * lanes);
            if (offset < 0) continue;
            Lanes value = out[dy][dx];
            if (finish.bias) value = value + load(finish.bias + panel * lanes);
            if (finish.sum) value = value + load(finish.sum + offset);
            if (finish.slope) {
              const Lanes slope = load(finish.slope + panel * lanes);
              value = {bent(value.low, slope.low), bent(value.high, slope.high)};
            }
            store(y + offset, {held(value.low, finish), held(value.high, finish)});
          }
      }
    }
  });
}

void gradient_products(Steps steps, const float* v, const float* z, int64_t c, int64_t k, int64_t count, bool adds,
                       int64_t from, int64_t to, float* d) {
  for (int64_t unit = from; unit < to; ++unit) {
    const int64_t point = unit / (k / lanes), panel = unit % (k / lanes);
    bool has_some = adds;  // several points of a tile may share one of the kernels
    for (int64_t f = 0; f < points_of(steps); ++f) {
      if (kernel_point(steps, f) != point) continue;
      for (int64_t channel = 0; channel < c; channel += lanes)
        multiply_panel(has_some, count, v + (f * c + channel) * count, z + (f * k + panel * lanes) * count,
                       d + (unit * c + channel) * lanes);
      has_some = true;
    }
  }
}

void kernel_gradients(Steps steps, const float* d, int64_t k, int64_t c, int64_t panel, float* gradients) {
  for (int64_t channel = 0; channel < c; ++channel) {
    Lanes in[6][6], out[3][3];
    for (int f = 0; f < kernel_points; ++f) in[f / 6][f % 6] = load(d + ((f * (k / lanes) + panel) * c + channel) * lanes);
    with_kernels_of(steps, [&]<typename Way>(Way) {
      both_ways<6, 3>([](const auto& part, auto& g) { Way::kernel_gradient(part, g); }, in, out);
    });
    float values[lanes];
    for (int j = 0; j < 9; ++j) {
      store(values, out[j / 3][j % 3]);
      for (int64_t i = 0; i < lanes; ++i) gradients[((panel * lanes + i) * c + channel) * 9 + j] = values[i];
    }
  }
}

}  // namespace magface::winograd
