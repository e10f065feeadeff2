// Loops over rows of channels, (rows, C) with C last in memory: what BatchNorm with PReLU or a sum behind it does to
// memory, in as few passes as its statistics allow. channel_kernels.cc is compiled once for each kind of processor.
#pragma once
#include <cstdint>

namespace magface {

/// Of each channel: y = x · scale + offset, then PReLU by slope where there is one.
struct Line {
  const float* scale;
  const float* offset;
  const float* slope;  // or null
};

/// T is float, or uint16_t for bfloat16. Rows lie one after the other, C a multiple of 32.
template <typename T>
struct ChannelKernels {
  /// sums[0, C) += Σ (x − shift), sums[C, 2C) += Σ (x − shift)²
  void (*moments)(const T* x, int64_t rows, int64_t channels, const float* shift, double* sums);
  /// y = PReLU(x · scale + offset) + residual, which may be null
  void (*apply)(const T* x, const T* residual, T* y, int64_t rows, int64_t channels, Line line);
  /// With d = dy behind PReLU: sums += Σ d, Σ d · (x − mean), and Σ dy · u over the u = x · scale + offset below 0
  void (*gradient_sums)(const T* dy, const T* x, int64_t rows, int64_t channels, Line line, const float* mean,
                        double* sums);
  /// dx = scale · d + by_x · (x − mean) + constant
  void (*gradient)(const T* dy, const T* x, T* dx, int64_t rows, int64_t channels, Line line, const float* mean,
                   const float* by_x, const float* constant);
};

/// Those for this processor: AVX-512, AVX2 with FMA, or what every processor of its kind has. MAGFACE_KERNELS names others.
const ChannelKernels<float>& float_kernels();
const ChannelKernels<uint16_t>& bfloat16_kernels();
/// `avx512bf16`, `avx512`, `avx2` or `plain`.
const char* kernels_name();
/// Whether AVX2 is the most that the processor has.
bool is_avx2_alone();
/// Whether the processor multiplies bfloat16 itself; elsewhere float32 is as fast and exact.
bool multiplies_bfloat16();
/// Whether oneDNN, and so libtorch, has convolutions and products in bfloat16 for it: AVX-512 and up.
bool onednn_takes_bfloat16();

}  // namespace magface
