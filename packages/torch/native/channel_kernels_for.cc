// Which of the compiled kernels this processor takes.
#include "channel_kernels.h"

#define MAGFACE_KERNELS(isa)                        \
  namespace magface::isa {                          \
  extern const ChannelKernels<float> of_float;      \
  extern const ChannelKernels<uint16_t> of_bfloat16; \
  }

MAGFACE_KERNELS(plain)
#ifdef MAGFACE_X86
MAGFACE_KERNELS(avx2)
MAGFACE_KERNELS(avx512)
MAGFACE_KERNELS(avx512bf16)
#endif

namespace magface {
namespace {

#ifdef MAGFACE_X86
bool has_avx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
}
bool has_avx512bf16() { return has_avx512() && __builtin_cpu_supports("avx512bf16"); }
bool has_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
#endif

template <typename T>
const ChannelKernels<T>& best(const ChannelKernels<T>& plain, const ChannelKernels<T>& avx2,
                              const ChannelKernels<T>& avx512) {
#ifdef MAGFACE_X86
  return has_avx512() ? avx512 : has_avx2() ? avx2 : plain;
#else
  return plain;
#endif
}

}  // namespace

#ifndef MAGFACE_X86
namespace avx2 = plain;
namespace avx512 = plain;
#endif

const ChannelKernels<uint16_t>& best_avx512() {
#ifdef MAGFACE_X86
  if (has_avx512bf16()) return avx512bf16::of_bfloat16;
#endif
  return avx512::of_bfloat16;
}

const ChannelKernels<float>& float_kernels() {
  static const ChannelKernels<float>& one = best(plain::of_float, avx2::of_float, avx512::of_float);
  return one;
}
const ChannelKernels<uint16_t>& bfloat16_kernels() {
  static const ChannelKernels<uint16_t>& one = best(plain::of_bfloat16, avx2::of_bfloat16, best_avx512());
  return one;
}

}  // namespace magface
