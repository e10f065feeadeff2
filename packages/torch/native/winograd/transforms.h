// One-dimensional transforms of Winograd's algorithm (Lavin and Gray, "Fast Algorithms for Convolutional Neural
// Networks", CVPR 2016); transform_2d() applies them in two dimensions. Only kernels.cc, which is compiled for AVX2
// and for AVX-512, includes this file.
//
// With g a 3 x 3 kernel, d the pixels under a tile of results, and ⊙ summed over the channels:
//   y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A
// The gradient of the kernel, with ⊙ summed over all tiles instead:
//   dg = Gᵀ [(A dy Aᵀ) ⊙ (Bᵀ d B)] G
// The gradient of the image is a convolution of dy with the kernels rotated by 180° and their channels swapped.
#pragma once

namespace magface::winograd::MAGFACE_ISA {

#define INLINE inline __attribute__((always_inline))

constexpr int64_t vector_width = MAGFACE_WIDTH;
/// Values of as many channels.
typedef float Lanes __attribute__((vector_size(4 * vector_width), aligned(4)));

INLINE Lanes load(const float* from) { return *(const Lanes*)from; }
INLINE void store(float* to, Lanes value) { *(Lanes*)to = value; }

// The interpolation points are 0, ±5/8 and ±3/2, plus infinity for three taps. They gave the smallest error of all
// points tried, including 0, ±1, ±2, and are exact in float32.
constexpr float a = 0.625f, a2 = a * a, a3 = a2 * a, b = 1.5f, b2 = b * b, b3 = b2 * b;
constexpr float at_0 = 1 / (a2 * b2), at_a = 1 / (2 * a2 * (a2 - b2)), at_b = 1 / (2 * b2 * (b2 - a2));

/// Bᵀ d at the five points; elements of d are `step` apart.
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

/// Aᵀ m of the five points; elements of y are `step` apart.
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

/// Stride 1: F(4, 3), four results from six products of six pixels.
struct Stride1 {
  static constexpr int in = 6, out = 4, side = 6, kernel_side = 6;
  static constexpr int kernel_of(int i) { return i; }
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

/// Stride 2. Pixels 0, 2, 4, … meet only the outer taps: F(4, 2), five products, which is F(4, 3) without the point at
/// infinity. The pixels between meet the middle tap: four products with the same kernel value.
struct Stride2 {
  static constexpr int in = 9, out = 4, side = 9, kernel_side = 6;
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

/// Backward data of Stride2: pixels between those of dy get the outer taps' share, the others the middle tap's.
struct Stride2Backward {
  static constexpr int in = 5, out = 8, side = 9, kernel_side = 6;
  static constexpr int kernel_of(int i) { return Stride2::kernel_of(i); }
  INLINE static void image(const Lanes (&d)[5], Lanes (&t)[9]) {
    image_at_points<1>(d, t);
    for (int i = 0; i < 4; ++i) t[5 + i] = d[i];
  }
  INLINE static void result(const Lanes (&m)[9], Lanes (&y)[8]) {
    result_of_points<2>(m, y + 1);
    for (int i = 0; i < 4; ++i) y[2 * i] = m[5 + i];
  }
};

/// Stride 1: F(2, 3), two results from four products of four pixels; points 0, ±1 and infinity.
struct Stride1Small {
  static constexpr int in = 4, out = 2, side = 4, kernel_side = 4;
  static constexpr int kernel_of(int i) { return i; }
  INLINE static void image(const Lanes (&d)[4], Lanes (&t)[4]) {
    t[0] = d[0] - d[2];
    t[1] = d[1] + d[2];
    t[2] = d[2] - d[1];
    t[3] = d[1] - d[3];
  }
  INLINE static void result(const Lanes (&m)[4], Lanes (&y)[2]) {
    y[0] = m[0] + m[1] + m[2];
    y[1] = m[1] - m[2] - m[3];
  }
  INLINE static void kernel(const Lanes (&g)[3], Lanes (&u)[4]) {
    const Lanes even = 0.5f * (g[0] + g[2]), odd = 0.5f * g[1];
    u[0] = g[0];
    u[1] = even + odd;
    u[2] = even - odd;
    u[3] = g[2];
  }
};

/// Stride 2: F(2, 2) for the outer taps, three products, and two for the middle tap.
struct Stride2Small {
  static constexpr int in = 5, out = 2, side = 5, kernel_side = 4;
  static constexpr int kernel_of(int i) { return i < 3 ? i : 3; }
  INLINE static void image(const Lanes (&d)[5], Lanes (&t)[5]) {
    t[0] = d[0] - d[2];
    t[1] = d[2];
    t[2] = d[2] - d[4];
    t[3] = d[1];
    t[4] = d[3];
  }
  INLINE static void result(const Lanes (&m)[5], Lanes (&y)[2]) {
    y[0] = m[0] + m[1] + m[3];
    y[1] = m[1] - m[2] + m[4];
  }
  INLINE static void kernel(const Lanes (&g)[3], Lanes (&u)[4]) {
    u[0] = g[0];
    u[1] = g[0] + g[2];
    u[2] = g[2];
    u[3] = g[1];
  }
};

/// Transforms rows, then columns, from read(row, column) to write(row, column, value).
template <int from, int to, typename Transform, typename Read, typename Write>
INLINE void transform_2d(Transform transform, Read read, Write write) {
  Lanes half[from][to];
#pragma GCC unroll 9
  for (int i = 0; i < from; ++i) {
    Lanes row[from];
#pragma GCC unroll 9
    for (int j = 0; j < from; ++j) row[j] = read(i, j);
    transform(row, half[i]);
  }
#pragma GCC unroll 9
  for (int j = 0; j < to; ++j) {
    Lanes column[from], done[to];
#pragma GCC unroll 9
    for (int i = 0; i < from; ++i) column[i] = half[i][j];
    transform(column, done);
#pragma GCC unroll 9
    for (int i = 0; i < to; ++i) write(i, j, done[i]);
  }
}

}  // namespace magface::winograd::MAGFACE_ISA
