// Includes nothing beside its header: an inline function of another one, compiled for AVX2, could be the copy that the linker
// keeps for all.
#include "winograd_kernels.h"

namespace magface::winograd {
namespace {

#define INLINE inline __attribute__((always_inline))

typedef float Eight __attribute__((vector_size(32), aligned(4)));

/// A value a channel, for the channels of a panel.
struct Lanes {
  Eight low, high;
};
INLINE Lanes load(const float* from) { return {*(const Eight*)from, *(const Eight*)(from + 8)}; }
INLINE void store(float* to, Lanes value) {
  *(Eight*)to = value.low;
  *(Eight*)(to + 8) = value.high;
}
INLINE Lanes operator+(Lanes a, Lanes b) { return {a.low + b.low, a.high + b.high}; }
INLINE Lanes operator-(Lanes a, Lanes b) { return {a.low - b.low, a.high - b.high}; }
INLINE Lanes operator*(float a, Lanes b) { return {a * b.low, a * b.high}; }

// The polynomials' points are 0, ±5/8, ±3/2 and infinity: of those tried, 0, ±1, ±2 among them, they err least, and both are
// exact in float32.
constexpr float a = 0.625f, a2 = a * a, a3 = a2 * a, b = 1.5f, b2 = b * b, b3 = b2 * b;
constexpr float at_0 = 1 / (a2 * b2), at_a = 1 / (2 * a2 * (a2 - b2)), at_b = 1 / (2 * b2 * (b2 - a2));

/// Bᵀ d
INLINE void transform_image(const Lanes (&d)[6], Lanes (&t)[6]) {
  const Lanes even_a = d[4] - b2 * d[2], odd_a = a * (d[3] - b2 * d[1]);
  const Lanes even_b = d[4] - a2 * d[2], odd_b = b * (d[3] - a2 * d[1]);
  t[0] = d[4] - (a2 + b2) * d[2] + (a2 * b2) * d[0];
  t[1] = even_a + odd_a;
  t[2] = even_a - odd_a;
  t[3] = even_b + odd_b;
  t[4] = even_b - odd_b;
  t[5] = d[5] - (a2 + b2) * d[3] + (a2 * b2) * d[1];
}

/// Aᵀ m
INLINE void transform_result(const Lanes (&m)[6], Lanes (&y)[4]) {
  const Lanes sum_a = m[1] + m[2], difference_a = m[1] - m[2], sum_b = m[3] + m[4], difference_b = m[3] - m[4];
  y[0] = m[0] + sum_a + sum_b;
  y[1] = a * difference_a + b * difference_b;
  y[2] = a2 * sum_a + b2 * sum_b;
  y[3] = a3 * difference_a + b3 * difference_b + m[5];
}

/// A y
INLINE void transform_gradient(const Lanes (&y)[4], Lanes (&z)[6]) {
  const Lanes even_a = y[0] + a2 * y[2], odd_a = a * y[1] + a3 * y[3];
  const Lanes even_b = y[0] + b2 * y[2], odd_b = b * y[1] + b3 * y[3];
  z[0] = y[0];
  z[1] = even_a + odd_a;
  z[2] = even_a - odd_a;
  z[3] = even_b + odd_b;
  z[4] = even_b - odd_b;
  z[5] = y[3];
}

/// G g
INLINE void transform_kernel(const Lanes (&g)[3], Lanes (&u)[6]) {
  const Lanes even_a = g[0] + a2 * g[2], even_b = g[0] + b2 * g[2];
  u[0] = at_0 * g[0];
  u[1] = at_a * (even_a + a * g[1]);
  u[2] = at_a * (even_a - a * g[1]);
  u[3] = at_b * (even_b + b * g[1]);
  u[4] = at_b * (even_b - b * g[1]);
  u[5] = g[2];
}

/// Gᵀ u
INLINE void transform_kernel_gradient(const Lanes (&u)[6], Lanes (&g)[3]) {
  const Lanes sum_a = at_a * (u[1] + u[2]), sum_b = at_b * (u[3] + u[4]);
  g[0] = at_0 * u[0] + sum_a + sum_b;
  g[1] = (a * at_a) * (u[1] - u[2]) + (b * at_b) * (u[3] - u[4]);
  g[2] = a2 * sum_a + b2 * sum_b + u[5];
}

/// A matrix from both sides: rows first, then columns.
template <int from, int to, typename Transform>
INLINE void both_ways(Transform transform, const Lanes (&in)[from][from], Lanes (&out)[to][to]) {
  Lanes half[from][to];
  for (int i = 0; i < from; ++i) transform(in[i], half[i]);
  for (int j = 0; j < to; ++j) {
    Lanes column[from], done[to];
    for (int i = 0; i < from; ++i) column[i] = half[i][j];
    transform(column, done);
    for (int i = 0; i < to; ++i) out[i][j] = done[i];
  }
}

alignas(64) constexpr float zeros[lanes] = {};

/// A tile's place: of its image, and of its first pixel in it.
struct Place {
  int64_t image, y, x;
  INLINE Place(const Tiled& t, int64_t index)
      : image(index / (t.rows * t.columns)), y(index / t.columns % t.rows * tile), x(index % t.columns * tile) {}
};

/// Where the 16 channels from `channel` of a pixel are, or -1 outside of the image.
INLINE int64_t offset_of(const Tiled& t, int64_t image, int64_t y, int64_t x, int64_t channel) {
  return y < 0 || y >= t.height || x < 0 || x >= t.width ? -1 : ((image * t.height + y) * t.width + x) * t.channels + channel;
}

/// size x size pixels under each tile, transformed, as panels.
template <int size, typename Transform>
INLINE void panels_of(Transform transform, const float* x, const Tiled& t, int64_t first, int64_t from, int64_t to,
                      int64_t count, float* panels) {
  for (int64_t i = from; i < to; ++i) {
    const Place place(t, first + i);
    for (int64_t channel = 0; channel < t.channels; channel += lanes) {
      Lanes in[size][size], out[6][6];
      for (int dy = 0; dy < size; ++dy)
        for (int dx = 0; dx < size; ++dx) {
          const int64_t offset = offset_of(t, place.image, place.y + dy - t.top, place.x + dx - t.left, channel);
          in[dy][dx] = load(offset < 0 ? zeros : x + offset);
        }
      both_ways<size, 6>(transform, in, out);
      float* row = panels + channel * count + i * lanes;
      for (int f = 0; f < frequencies; ++f) store(row + f * t.channels * count, out[f / 6][f % 6]);
    }
  }
}

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

}  // namespace

void image_panels(const float* x, const Tiled& image, int64_t first, int64_t from, int64_t to, int64_t count, float* v) {
  panels_of<6>([](const auto& in, auto& out) { transform_image(in, out); }, x, image, first, from, to, count, v);
}

void gradient_panels(const float* dy, const Tiled& image, int64_t first, int64_t from, int64_t to, int64_t count, float* z) {
  panels_of<4>([](const auto& in, auto& out) { transform_gradient(in, out); }, dy, image, first, from, to, count, z);
}

void kernel_panels(const float* kernels, int64_t k, int64_t c, bool turned, int64_t panel, float* u) {
  const int64_t across = turned ? k : c, panels = (turned ? c : k) / lanes;  // the channels that are summed over, and the others
  for (int64_t row = 0; row < across; ++row) {
    Lanes in[3][3], out[6][6];
    float values[9][lanes];
    for (int64_t i = 0; i < lanes; ++i) {
      const int64_t lane = panel * lanes + i;
      const float* kernel = kernels + (turned ? row * c + lane : lane * c + row) * 9;
      for (int j = 0; j < 9; ++j) values[j][i] = kernel[turned ? 8 - j : j];
    }
    for (int j = 0; j < 9; ++j) in[j / 3][j % 3] = load(values[j]);
    both_ways<3, 6>([](const auto& from, auto& to) { transform_kernel(from, to); }, in, out);
    for (int f = 0; f < frequencies; ++f) store(u + ((f * panels + panel) * across + row) * lanes, out[f / 6][f % 6]);
  }
}

void products(const float* v, const float* u, int64_t c, int64_t panels, int64_t from, int64_t to, int64_t count, float* m) {
  for (int64_t f = 0; f < frequencies; ++f)
    for (int64_t panel = from; panel < to; ++panel)
      for (int64_t row = 0; row < count; row += most_rows)
        multiply_rows(count - row < most_rows ? count - row : most_rows, c / lanes, v + f * c * count + row * lanes,
                      count * lanes, u + (f * panels + panel) * c * lanes,
                      m + ((f * (to - from) + panel - from) * count + row) * lanes);
}

void results(const float* m, const Tiled& image, int64_t from, int64_t to, int64_t first, int64_t count, const Finish& finish,
             float* y) {
  for (int64_t i = 0; i < count; ++i) {
    const Place place(image, first + i);
    for (int64_t panel = from; panel < to; ++panel) {
      Lanes in[6][6], out[tile][tile];
      const float* at = m + ((panel - from) * count + i) * lanes;
      for (int f = 0; f < frequencies; ++f) in[f / 6][f % 6] = load(at + f * (to - from) * count * lanes);
      both_ways<6, tile>([](const auto& part, auto& done) { transform_result(part, done); }, in, out);
      for (int dy = 0; dy < tile; ++dy)
        for (int dx = 0; dx < tile; ++dx) {
          const int64_t offset = offset_of(image, place.image, place.y + dy, place.x + dx, panel * lanes);
          if (offset < 0) continue;
          Lanes value = out[dy][dx];
          if (finish.bias) value = value + load(finish.bias + panel * lanes);
          if (finish.sum) value = value + load(finish.sum + offset);
          store(y + offset, {held(value.low, finish), held(value.high, finish)});
        }
    }
  }
}

void gradient_products(const float* v, const float* z, int64_t c, int64_t k, int64_t count, bool adds, int64_t from,
                       int64_t to, float* d) {
  for (int64_t unit = from; unit < to; ++unit) {
    const int64_t f = unit / (k / lanes);
    const float* b = z + unit * count * lanes;
    float* sums = d + unit * c * lanes;
    for (int64_t channel = 0; channel < c; channel += lanes) {
      const float* panel = v + (f * c + channel) * count;
      float* to_rows = sums + channel * lanes;
      multiply<6>(adds, 1, count, panel, 1, lanes, 0, b, to_rows);
      multiply<5>(adds, 1, count, panel + 6, 1, lanes, 0, b, to_rows + 6 * lanes);
      multiply<5>(adds, 1, count, panel + 11, 1, lanes, 0, b, to_rows + 11 * lanes);
    }
  }
}

void kernel_gradients(const float* d, int64_t k, int64_t c, int64_t panel, float* gradients) {
  for (int64_t channel = 0; channel < c; ++channel) {
    Lanes in[6][6], out[3][3];
    for (int f = 0; f < frequencies; ++f) in[f / 6][f % 6] = load(d + ((f * (k / lanes) + panel) * c + channel) * lanes);
    both_ways<6, 3>([](const auto& from, auto& to) { transform_kernel_gradient(from, to); }, in, out);
    float values[lanes];
    for (int j = 0; j < 9; ++j) {
      store(values, out[j / 3][j % 3]);
      for (int64_t i = 0; i < lanes; ++i) gradients[((panel * lanes + i) * c + channel) * 9 + j] = values[i];
    }
  }
}

}  // namespace magface::winograd
