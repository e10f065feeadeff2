// Loops over rows of channels, (rows, C): BatchNorm followed by PReLU or a sum, in as few passes over memory as its
// statistics allow. channel_kernels.cc is compiled once per instruction set.
#pragma once
#include <cstdint>

namespace magface {

/// Per channel: y = x · scale + offset, then PReLU if there is a slope.
struct Affine {
  const float* scale;
  const float* offset;
  const float* slope;  // or null
};

/// T is float, or uint16_t for bfloat16. Rows are contiguous and C is a multiple of 32.
template <typename T>
struct ChannelKernels {
  /// sums[0, C) += Σ (x − shift), sums[C, 2C) += Σ (x − shift)²
  void (*moments)(const T* x, int64_t rows, int64_t channels, const float* shift, double* sums);
  /// y = PReLU(x · scale + offset) + residual; residual may be null
  void (*apply)(const T* x, const T* residual, T* y, int64_t rows, int64_t channels, Affine affine);
  /// sums += Σ d, Σ d · (x − mean), and Σ dy · u over all u < 0, where u = x · scale + offset and d = dy · PReLU'(u)
  void (*gradient_sums)(const T* dy, const T* x, int64_t rows, int64_t channels, Affine affine, const float* mean,
                        double* sums);
  /// dx = scale · d + by_x · (x − mean) + constant
  void (*gradient)(const T* dy, const T* x, T* dx, int64_t rows, int64_t channels, Affine affine, const float* mean,
                   const float* by_x, const float* constant);
};

/// The kernels for this processor: AVX-512, AVX2 with FMA, or the baseline. MAGFACE_KERNELS selects others.
const ChannelKernels<float>& float_kernels();
const ChannelKernels<uint16_t>& bfloat16_kernels();
/// `avx512bf16`, `avx512`, `avx2` or `plain`.
const char* kernels_name();
/// Whether the processor has AVX2, and perhaps AVX-512.
bool has_avx2();
bool has_avx512();
/// Whether the processor has bfloat16 multiplication. Without it, float32 is as fast and more exact.
bool has_bfloat16();
/// Whether oneDNN, and so libtorch, has bfloat16 convolutions and matrix products for the processor: AVX-512 and up.
bool onednn_has_bfloat16();

}  // namespace magface
