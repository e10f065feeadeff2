// The transforms of Winograd's algorithm (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016), of one
// dimension; both_ways() makes two. Included by winograd_kernels.cc alone, which is compiled for AVX2.
//
// With g a kernel of 3 x 3, d the pixels under a tile of results, and the sum over the channels in the middle:
//   y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A
// whose gradient of the kernel is, summed over all tiles instead,
//   dg = Gᵀ [(A dy Aᵀ) ⊙ (Bᵀ d B)] G
// and whose gradient of the image is a convolution of dy with the kernels turned around, the channels swapped.
#pragma once

namespace magface::winograd {

#define INLINE inline __attribute__((always_inline))

/// A value for each of eight channels.
typedef float Eight __attribute__((vector_size(32), aligned(4)));
constexpr int64_t eight = 8;

INLINE Eight load(const float* from) { return *(const Eight*)from; }
INLINE void store(float* to, Eight value) { *(Eight*)to = value; }

// Polynomials are multiplied by their values at 0, ±5/8 and ±3/2, for three taps at infinity too: of the points that were tried,
// 0, ±1, ±2 among them, these err least, and they are exact in float32.
constexpr float a = 0.625f, a2 = a * a, a3 = a2 * a, b = 1.5f, b2 = b * b, b3 = b2 * b;
constexpr float at_0 = 1 / (a2 * b2), at_a = 1 / (2 * a2 * (a2 - b2)), at_b = 1 / (2 * b2 * (b2 - a2));

/// Bᵀ d at the five points; d lie `step` apart.
template <int step>
INLINE void image_at_points(const Eight* d, Eight* t) {
  const Eight even_a = d[4 * step] - b2 * d[2 * step], odd_a = a * (d[3 * step] - b2 * d[step]);
  const Eight even_b = d[4 * step] - a2 * d[2 * step], odd_b = b * (d[3 * step] - a2 * d[step]);
  t[0] = d[4 * step] - (a2 + b2) * d[2 * step] + (a2 * b2) * d[0];
  t[1] = even_a + odd_a;
  t[2] = even_a - odd_a;
  t[3] = even_b + odd_b;
  t[4] = even_b - odd_b;
}

/// Aᵀ m of the five points; y lie `step` apart.
template <int step>
INLINE void result_of_points(const Eight* m, Eight* y) {
  const Eight sum_a = m[1] + m[2], difference_a = m[1] - m[2], sum_b = m[3] + m[4], difference_b = m[3] - m[4];
  y[0] = m[0] + sum_a + sum_b;
  y[step] = a * difference_a + b * difference_b;
  y[2 * step] = a2 * sum_a + b2 * sum_b;
  y[3 * step] = a3 * difference_a + b3 * difference_b;
}

/// A y at the five points.
INLINE void gradient_at_points(const Eight* y, Eight* z) {
  const Eight even_a = y[0] + a2 * y[2], odd_a = a * y[1] + a3 * y[3];
  const Eight even_b = y[0] + b2 * y[2], odd_b = b * y[1] + b3 * y[3];
  z[0] = y[0];
  z[1] = even_a + odd_a;
  z[2] = even_a - odd_a;
  z[3] = even_b + odd_b;
  z[4] = even_b - odd_b;
}

/// G g at the five points, from even = g0 + p² g2 and the odd tap g1.
INLINE void kernel_at_points(Eight g0, Eight even_a, Eight even_b, Eight g1, Eight* u) {
  u[0] = at_0 * g0;
  u[1] = at_a * (even_a + a * g1);
  u[2] = at_a * (even_a - a * g1);
  u[3] = at_b * (even_b + b * g1);
  u[4] = at_b * (even_b - b * g1);
}

/// Steps of one: F(4, 3), four results from six products of six pixels.
struct Same {
  static constexpr int in = 6, out = 4, side = 6, kernel_side = 6;
  static constexpr int kernel_of(int i) { return i; }
  INLINE static void image(const Eight (&d)[6], Eight (&t)[6]) {
    image_at_points<1>(d, t);
    t[5] = d[5] - (a2 + b2) * d[3] + (a2 * b2) * d[1];
  }
  INLINE static void result(const Eight (&m)[6], Eight (&y)[4]) {
    result_of_points<1>(m, y);
    y[3] = y[3] + m[5];
  }
  INLINE static void gradient(const Eight (&y)[4], Eight (&z)[6]) {
    gradient_at_points(y, z);
    z[5] = y[3];
  }
  INLINE static void kernel(const Eight (&g)[3], Eight (&u)[6]) {
    kernel_at_points(g[0], g[0] + a2 * g[2], g[0] + b2 * g[2], g[1], u);
    u[5] = g[2];
  }
  INLINE static void kernel_gradient(const Eight (&u)[6], Eight (&g)[3]) {
    const Eight sum_a = at_a * (u[1] + u[2]), sum_b = at_b * (u[3] + u[4]);
    g[0] = at_0 * u[0] + sum_a + sum_b;
    g[1] = (a * at_a) * (u[1] - u[2]) + (b * at_b) * (u[3] - u[4]);
    g[2] = a2 * sum_a + b2 * sum_b + u[5];
  }
};

/// Steps of two. Every other pixel, from the first, meets the outer taps alone: F(4, 2), five products, which are F(4, 3)'s without
/// the point at infinity. Those between meet the tap in the middle: four products with the same kernel.
struct Halved {
  static constexpr int in = 9, out = 4, side = 9, kernel_side = 6;
  static constexpr int kernel_of(int i) { return i < 5 ? i : 5; }
  INLINE static void image(const Eight (&d)[9], Eight (&t)[9]) {
    image_at_points<2>(d, t);
    for (int i = 0; i < 4; ++i) t[5 + i] = d[2 * i + 1];
  }
  INLINE static void result(const Eight (&m)[9], Eight (&y)[4]) {
    result_of_points<1>(m, y);
    for (int i = 0; i < 4; ++i) y[i] = y[i] + m[5 + i];
  }
  INLINE static void gradient(const Eight (&y)[4], Eight (&z)[9]) {
    gradient_at_points(y, z);
    for (int i = 0; i < 4; ++i) z[5 + i] = y[i];
  }
  INLINE static void kernel(const Eight (&g)[3], Eight (&u)[6]) {
    kernel_at_points(g[0], g[0], g[0], g[2], u);
    u[5] = g[1];
  }
  INLINE static void kernel_gradient(const Eight (&u)[6], Eight (&g)[3]) {
    g[0] = at_0 * u[0] + at_a * (u[1] + u[2]) + at_b * (u[3] + u[4]);
    g[1] = u[5];
    g[2] = (a * at_a) * (u[1] - u[2]) + (b * at_b) * (u[3] - u[4]);
  }
};

/// The gradient of Halved's image: between the gradients of y come the outer taps' shares, at them the middle one's.
struct Doubled {
  static constexpr int in = 5, out = 8, side = 9, kernel_side = 6;
  static constexpr int kernel_of(int i) { return Halved::kernel_of(i); }
  INLINE static void image(const Eight (&d)[5], Eight (&t)[9]) {
    image_at_points<1>(d, t);
    for (int i = 0; i < 4; ++i) t[5 + i] = d[i];
  }
  INLINE static void result(const Eight (&m)[9], Eight (&y)[8]) {
    result_of_points<2>(m, y + 1);
    for (int i = 0; i < 4; ++i) y[2 * i] = m[5 + i];
  }
};

/// Steps of one: F(2, 3), two results from four products of four pixels; values at 0, ±1 and infinity.
struct SameByTwo {
  static constexpr int in = 4, out = 2, side = 4, kernel_side = 4;
  static constexpr int kernel_of(int i) { return i; }
  INLINE static void image(const Eight (&d)[4], Eight (&t)[4]) {
    t[0] = d[0] - d[2];
    t[1] = d[1] + d[2];
    t[2] = d[2] - d[1];
    t[3] = d[1] - d[3];
  }
  INLINE static void result(const Eight (&m)[4], Eight (&y)[2]) {
    y[0] = m[0] + m[1] + m[2];
    y[1] = m[1] - m[2] - m[3];
  }
  INLINE static void kernel(const Eight (&g)[3], Eight (&u)[4]) {
    const Eight even = 0.5f * (g[0] + g[2]), odd = 0.5f * g[1];
    u[0] = g[0];
    u[1] = even + odd;
    u[2] = even - odd;
    u[3] = g[2];
  }
};

/// Steps of two: F(2, 2) for the outer taps, three products, and two for the one in the middle.
struct HalvedByTwo {
  static constexpr int in = 5, out = 2, side = 5, kernel_side = 4;
  static constexpr int kernel_of(int i) { return i < 3 ? i : 3; }
  INLINE static void image(const Eight (&d)[5], Eight (&t)[5]) {
    t[0] = d[0] - d[2];
    t[1] = d[2];
    t[2] = d[2] - d[4];
    t[3] = d[1];
    t[4] = d[3];
  }
  INLINE static void result(const Eight (&m)[5], Eight (&y)[2]) {
    y[0] = m[0] + m[1] + m[3];
    y[1] = m[1] - m[2] + m[4];
  }
  INLINE static void kernel(const Eight (&g)[3], Eight (&u)[4]) {
    u[0] = g[0];
    u[1] = g[0] + g[2];
    u[2] = g[2];
    u[3] = g[1];
  }
};

/// A transform of rows first, then of columns: of what read(row, column) gives, to what write(row, column, value) takes.
template <int from, int to, typename Transform, typename Read, typename Write>
INLINE void both_ways(Transform transform, Read read, Write write) {
  Eight half[from][to];
#pragma GCC unroll 9
  for (int i = 0; i < from; ++i) {
    Eight row[from];
#pragma GCC unroll 9
    for (int j = 0; j < from; ++j) row[j] = read(i, j);
    transform(row, half[i]);
  }
#pragma GCC unroll 9
  for (int j = 0; j < to; ++j) {
    Eight column[from], done[to];
#pragma GCC unroll 9
    for (int i = 0; i < from; ++i) column[i] = half[i][j];
    transform(column, done);
#pragma GCC unroll 9
    for (int i = 0; i < to; ++i) write(i, j, done[i]);
  }
}

}  // namespace magface::winograd
