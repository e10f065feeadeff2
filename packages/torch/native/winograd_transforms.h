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
INLINE Lanes operator*(Lanes a, Lanes b) { return {a.low * b.low, a.high * b.high}; }

// Polynomials are multiplied by their values at 0, ±5/8 and ±3/2, for three taps at infinity too: of the points that were tried,
// 0, ±1, ±2 among them, these err least, and they are exact in float32.
constexpr float a = 0.625f, a2 = a * a, a3 = a2 * a, b = 1.5f, b2 = b * b, b3 = b2 * b;
constexpr float at_0 = 1 / (a2 * b2), at_a = 1 / (2 * a2 * (a2 - b2)), at_b = 1 / (2 * b2 * (b2 - a2));

/// Bᵀ d at the five points; d lie `step` apart.
template <int step>
INLINE void image_at_points(const Lanes* d, Lanes* t) {
  const Lanes even_a = d[4 * step] - b2 * d[2 * step], odd_a = a * (d[3 * step] - b2 * d[step]);
  const Lanes even_b = d[4 * step] - a2 * d[2 * step], odd_b = b * (d[3 * step] - a2 * d[step]);
  t[0] = d[4 * step] - (a2 + b2) * d[2 * step] + (a2 * b2) * d[0];
  t[1] = even_a + odd_a;
  t[2] = even_a - odd_a;
  t[3] = even_b + odd_b;
  t[4] = even_b - odd_b;
}

/// Aᵀ m of the five points; y lie `step` apart.
template <int step>
INLINE void result_of_points(const Lanes* m, Lanes* y) {
  const Lanes sum_a = m[1] + m[2], difference_a = m[1] - m[2], sum_b = m[3] + m[4], difference_b = m[3] - m[4];
  y[0] = m[0] + sum_a + sum_b;
  y[step] = a * difference_a + b * difference_b;
  y[2 * step] = a2 * sum_a + b2 * sum_b;
  y[3 * step] = a3 * difference_a + b3 * difference_b;
}

/// A y at the five points.
INLINE void gradient_at_points(const Lanes* y, Lanes* z) {
  const Lanes even_a = y[0] + a2 * y[2], odd_a = a * y[1] + a3 * y[3];
  const Lanes even_b = y[0] + b2 * y[2], odd_b = b * y[1] + b3 * y[3];
  z[0] = y[0];
  z[1] = even_a + odd_a;
  z[2] = even_a - odd_a;
  z[3] = even_b + odd_b;
  z[4] = even_b - odd_b;
}

/// G g at the five points, from even = g0 + p² g2 and the odd tap g1.
INLINE void kernel_at_points(Lanes g0, Lanes even_a, Lanes even_b, Lanes g1, Lanes* u) {
  u[0] = at_0 * g0;
  u[1] = at_a * (even_a + a * g1);
  u[2] = at_a * (even_a - a * g1);
  u[3] = at_b * (even_b + b * g1);
  u[4] = at_b * (even_b - b * g1);
}

/// Steps of one: F(4, 3), four results from six products of six pixels.
struct Same {
  static constexpr int in = 6, out = 4, side = 6;
  INLINE static void image(const Lanes (&d)[6], Lanes (&t)[6]) {
    image_at_points<1>(d, t);
    t[5] = d[5] - (a2 + b2) * d[3] + (a2 * b2) * d[1];
  }
  INLINE static void result(const Lanes (&m)[6], Lanes (&y)[4]) {
    result_of_points<1>(m, y);
    y[3] = y[3] + m[5];
  }
  INLINE static void gradient(const Lanes (&y)[4], Lanes (&z)[6]) {
    gradient_at_points(y, z);
    z[5] = y[3];
  }
  INLINE static void kernel(const Lanes (&g)[3], Lanes (&u)[6]) {
    kernel_at_points(g[0], g[0] + a2 * g[2], g[0] + b2 * g[2], g[1], u);
    u[5] = g[2];
  }
  INLINE static void kernel_gradient(const Lanes (&u)[6], Lanes (&g)[3]) {
    const Lanes sum_a = at_a * (u[1] + u[2]), sum_b = at_b * (u[3] + u[4]);
    g[0] = at_0 * u[0] + sum_a + sum_b;
    g[1] = (a * at_a) * (u[1] - u[2]) + (b * at_b) * (u[3] - u[4]);
    g[2] = a2 * sum_a + b2 * sum_b + u[5];
  }
};

/// Steps of two. Every other pixel, from the first, meets the outer taps alone: F(4, 2), five products, which are F(4, 3)'s without
/// the point at infinity. Those between meet the tap in the middle: four products with the same kernel.
struct Halved {
  static constexpr int in = 9, out = 4, side = 9;
  static constexpr int kernel_of(int i) { return i < 5 ? i : 5; }
  INLINE static void image(const Lanes (&d)[9], Lanes (&t)[9]) {
    image_at_points<2>(d, t);
    for (int i = 0; i < 4; ++i) t[5 + i] = d[2 * i + 1];
  }
  INLINE static void result(const Lanes (&m)[9], Lanes (&y)[4]) {
    result_of_points<1>(m, y);
    for (int i = 0; i < 4; ++i) y[i] = y[i] + m[5 + i];
  }
  INLINE static void gradient(const Lanes (&y)[4], Lanes (&z)[9]) {
    gradient_at_points(y, z);
    for (int i = 0; i < 4; ++i) z[5 + i] = y[i];
  }
  INLINE static void kernel(const Lanes (&g)[3], Lanes (&u)[6]) {
    kernel_at_points(g[0], g[0], g[0], g[2], u);
    u[5] = g[1];
  }
  INLINE static void kernel_gradient(const Lanes (&u)[6], Lanes (&g)[3]) {
    g[0] = at_0 * u[0] + at_a * (u[1] + u[2]) + at_b * (u[3] + u[4]);
    g[1] = u[5];
    g[2] = (a * at_a) * (u[1] - u[2]) + (b * at_b) * (u[3] - u[4]);
  }
};

/// The gradient of Halved's image: between the gradients of y come the outer taps' shares, at them the middle one's.
struct Doubled {
  static constexpr int in = 5, out = 8, side = 9;
  INLINE static void image(const Lanes (&d)[5], Lanes (&t)[9]) {
    image_at_points<1>(d, t);
    for (int i = 0; i < 4; ++i) t[5 + i] = d[i];
  }
  INLINE static void result(const Lanes (&m)[9], Lanes (&y)[8]) {
    result_of_points<2>(m, y + 1);
    for (int i = 0; i < 4; ++i) y[2 * i] = m[5 + i];
  }
};

/// A transform of rows first, then of columns.
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

}  // namespace magface::winograd
