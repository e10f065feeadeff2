// Compiled once per instruction set, in the namespace MAGFACE_ISA. Include no other headers: the linker keeps one copy
// of an inline function, and that copy could be the one compiled for AVX-512.
#include "channel_kernels.h"

#ifdef __AVX512BF16__
#include <immintrin.h>  // all of its functions are always inlined
#endif

namespace magface::MAGFACE_ISA {
namespace {

// One register wide: compilers turn a select between wider vectors into one operation per lane.
#if defined(__AVX512F__)
constexpr int lanes = 16;
#elif defined(__AVX__)
constexpr int lanes = 8;
#else
constexpr int lanes = 4;
#endif
typedef float Floats __attribute__((vector_size(lanes * 4)));
typedef uint32_t Words __attribute__((vector_size(lanes * 4)));
typedef uint16_t Halves __attribute__((vector_size(lanes * 2)));

constexpr int group = 2;  // vectors processed together; group * lanes divides 32, and so the number of channels
constexpr int64_t block = 128;        // rows summed in float before the sum is added to a double

#define INLINE inline __attribute__((always_inline))

INLINE Floats load(const float* from) {
  Floats value;
  __builtin_memcpy(&value, from, sizeof value);
  return value;
}
INLINE Floats load(const uint16_t* from) {
  Halves half;
  __builtin_memcpy(&half, from, sizeof half);
  return (Floats)(__builtin_convertvector(half, Words) << 16);
}
INLINE void store(float* to, Floats value) { __builtin_memcpy(to, &value, sizeof value); }
#ifdef __AVX512BF16__
INLINE void store(uint16_t* to, Floats value) {  // one instruction; denormals, below 2⁻¹²⁶, become 0
  const __m256bh half = _mm512_cvtneps_pbh((__m512)value);
  __builtin_memcpy(to, &half, sizeof half);
}
#else
INLINE void store(uint16_t* to, Floats value) {  // rounds to nearest even; NaN stays NaN
  const Words bits = (Words)value;
  const Words rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  const Halves half = __builtin_convertvector(value == value ? rounded : (bits >> 16) | 0x40, Halves);
  __builtin_memcpy(to, &half, sizeof half);
}
#endif

/// One value per channel, for the channels of one group.
struct PerChannel {
  Floats at[group];
  INLINE explicit PerChannel(const float* from) {
    for (int g = 0; g < group; ++g) at[g] = load(from + g * lanes);
  }
};

INLINE void add_to(double* sums, const Floats (&values)[group]) {
  for (int g = 0; g < group; ++g)
    for (int i = 0; i < lanes; ++i) sums[g * lanes + i] += values[g][i];
}

/// Calls body(first row, end row, first channel) for each block of rows and each group of channels in it.
template <typename Body>
INLINE void for_blocks(int64_t rows, int64_t channels, Body body) {
  for (int64_t first = 0; first < rows; first += block) {
    const int64_t last = first + block < rows ? first + block : rows;
    for (int64_t c = 0; c < channels; c += group * lanes) body(first, last, c);
  }
}

template <typename T>
void moments(const T* x, int64_t rows, int64_t channels, const float* shift, double* sums) {
  for_blocks(rows, channels, [&](int64_t first, int64_t last, int64_t c) {
    const PerChannel k(shift + c);
    Floats sum[group] = {}, squares[group] = {};
    for (const T* at = x + first * channels + c; first < last; ++first, at += channels)
      for (int g = 0; g < group; ++g) {
        const Floats d = load(at + g * lanes) - k.at[g];
        sum[g] += d;
        squares[g] += d * d;
      }
    add_to(sums + c, sum);
    add_to(sums + channels + c, squares);
  });
}

template <bool prelu, bool sum, typename T>
void apply_as(const T* x, const T* residual, T* y, int64_t rows, int64_t channels, Affine affine) {
  for_blocks(rows, channels, [&](int64_t first, int64_t last, int64_t c) {
    const PerChannel scale(affine.scale + c), offset(affine.offset + c), slope((prelu ? affine.slope : affine.scale) + c);
    for (int64_t at = first * channels + c; first < last; ++first, at += channels)
      for (int g = 0; g < group; ++g) {
        Floats u = load(x + at + g * lanes) * scale.at[g] + offset.at[g];
        if constexpr (prelu) u = u > 0 ? u : u * slope.at[g];
        if constexpr (sum) u += load(residual + at + g * lanes);
        store(y + at + g * lanes, u);
      }
  });
}

template <typename T>
void apply(const T* x, const T* residual, T* y, int64_t rows, int64_t channels, Affine affine) {
  const auto with = affine.slope ? (residual ? apply_as<true, true, T> : apply_as<true, false, T>)
                               : (residual ? apply_as<false, true, T> : apply_as<false, false, T>);
  with(x, residual, y, rows, channels, affine);
}

template <bool prelu, typename T>
void gradient_sums_as(const T* dy, const T* x, int64_t rows, int64_t channels, Affine affine, const float* mean,
                      double* sums) {
  for_blocks(rows, channels, [&](int64_t first, int64_t last, int64_t c) {
    const PerChannel scale(affine.scale + c), offset(affine.offset + c), slope((prelu ? affine.slope : affine.scale) + c);
    const PerChannel mu(mean + c);
    Floats sum_d[group] = {}, sum_dx[group] = {}, sum_slope[group] = {};
    for (int64_t at = first * channels + c; first < last; ++first, at += channels)
      for (int g = 0; g < group; ++g) {
        const Floats value = load(x + at + g * lanes);
        Floats d = load(dy + at + g * lanes);
        if constexpr (prelu) {
          const Floats u = value * scale.at[g] + offset.at[g];
          sum_slope[g] += u > 0 ? Floats{} : d * u;
          d = u > 0 ? d : d * slope.at[g];
        }
        sum_d[g] += d;
        sum_dx[g] += d * (value - mu.at[g]);
      }
    add_to(sums + c, sum_d);
    add_to(sums + channels + c, sum_dx);
    if constexpr (prelu) add_to(sums + 2 * channels + c, sum_slope);
  });
}

template <typename T>
void gradient_sums(const T* dy, const T* x, int64_t rows, int64_t channels, Affine affine, const float* mean,
                   double* sums) {
  (affine.slope ? gradient_sums_as<true, T> : gradient_sums_as<false, T>)(dy, x, rows, channels, affine, mean, sums);
}

template <bool prelu, typename T>
void gradient_as(const T* dy, const T* x, T* dx, int64_t rows, int64_t channels, Affine affine, const float* mean,
                 const float* by_x, const float* constant) {
  for_blocks(rows, channels, [&](int64_t first, int64_t last, int64_t c) {
    const PerChannel scale(affine.scale + c), offset(affine.offset + c), slope((prelu ? affine.slope : affine.scale) + c);
    const PerChannel mu(mean + c), b(by_x + c), k(constant + c);
    for (int64_t at = first * channels + c; first < last; ++first, at += channels)
      for (int g = 0; g < group; ++g) {
        const Floats value = load(x + at + g * lanes);
        Floats d = load(dy + at + g * lanes);
        if constexpr (prelu) d = value * scale.at[g] + offset.at[g] > 0 ? d : d * slope.at[g];
        store(dx + at + g * lanes, scale.at[g] * d + b.at[g] * (value - mu.at[g]) + k.at[g]);
      }
  });
}

template <typename T>
void gradient(const T* dy, const T* x, T* dx, int64_t rows, int64_t channels, Affine affine, const float* mean,
              const float* by_x, const float* constant) {
  const auto with = affine.slope ? gradient_as<true, T> : gradient_as<false, T>;
  with(dy, x, dx, rows, channels, affine, mean, by_x, constant);
}

}  // namespace

extern const ChannelKernels<float> for_float;
extern const ChannelKernels<uint16_t> for_bfloat16;
constexpr ChannelKernels<float> for_float{moments, apply, gradient_sums, gradient};
constexpr ChannelKernels<uint16_t> for_bfloat16{moments, apply, gradient_sums, gradient};

}  // namespace magface::MAGFACE_ISA
