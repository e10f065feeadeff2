// Selects the compiled kernels for this processor.
#include "channel_kernels.h"

#include <cstdlib>
#include <stdexcept>
#include <string>

#define MAGFACE_KERNELS(isa)                        \
  namespace magface::isa {                          \
  extern const ChannelKernels<float> for_float;      \
  extern const ChannelKernels<uint16_t> for_bfloat16; \
  }

MAGFACE_KERNELS(plain)
#ifdef MAGFACE_X86
MAGFACE_KERNELS(avx2)
MAGFACE_KERNELS(avx512)
MAGFACE_KERNELS(avx512bf16)
#endif

namespace magface {
#ifndef MAGFACE_X86
namespace avx2 = plain;
namespace avx512 = plain;
namespace avx512bf16 = plain;
#endif
namespace {

enum Isa { is_plain, is_avx2, is_avx512, is_avx512bf16 };  // each includes the ones before it
constexpr const char* isa_names[] = {"plain", "avx2", "avx512", "avx512bf16"};

Isa best() {
#ifdef MAGFACE_X86
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512dq"))
    return __builtin_cpu_supports("avx512bf16") ? is_avx512bf16 : is_avx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return is_avx2;
#endif
  return is_plain;
}

/// The best instruction set, or a lesser one that MAGFACE_KERNELS names, so that tests can cover all of them.
Isa chosen() {
  static const Isa one = [] {
    const char* named = std::getenv("MAGFACE_KERNELS");
    if (named == nullptr || *named == 0) return best();
    for (int isa = is_plain; isa <= best(); ++isa)
      if (isa_names[isa] == std::string(named)) return static_cast<Isa>(isa);
    throw std::runtime_error(
        "expected MAGFACE_KERNELS to be plain, avx2, avx512 or avx512bf16, and at most what this processor supports (" +
            std::string(isa_names[best()]) + "), but it is " + named);
  }();
  return one;
}

}  // namespace

const ChannelKernels<float>& float_kernels() {
  return chosen() >= is_avx512 ? avx512::for_float : chosen() == is_avx2 ? avx2::for_float : plain::for_float;
}
const ChannelKernels<uint16_t>& bfloat16_kernels() {
  if (chosen() == is_avx512bf16) return avx512bf16::for_bfloat16;
  return chosen() == is_avx512 ? avx512::for_bfloat16 : chosen() == is_avx2 ? avx2::for_bfloat16 : plain::for_bfloat16;
}
const char* kernels_name() { return isa_names[chosen()]; }
bool has_avx2() { return chosen() >= is_avx2; }
bool has_bfloat16() { return chosen() == is_avx512bf16; }
bool has_avx512() { return chosen() >= is_avx512; }
bool onednn_has_bfloat16() { return has_avx512(); }

}  // namespace magface
