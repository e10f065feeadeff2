// The differences between libtorch's versions, 1.13 to 2.x, all in one place.
#pragma once
#include <ATen/autocast_mode.h>
#include <torch/csrc/api/include/torch/version.h>

#define MAGFACE_TORCH_AT_LEAST(major, minor) \
  (TORCH_VERSION_MAJOR > (major) || (TORCH_VERSION_MAJOR == (major) && TORCH_VERSION_MINOR >= (minor)))

namespace magface {

/// Suppresses libtorch's warnings on this thread while it exists.
class NoWarnings {
#if MAGFACE_TORCH_AT_LEAST(2, 0)
  struct Silent : c10::WarningHandler {
    void process(const c10::Warning&) override {}
  } silent_;
  c10::WarningUtils::WarningHandlerGuard guard_{&silent_};
#else
  struct Silent : c10::WarningHandler {
    void process(const c10::SourceLocation&, const std::string&, bool) override {}
  } silent_;
  c10::Warning::WarningHandlerGuard guard_{&silent_};
#endif
};

struct Autocast {
  bool enabled;
  at::ScalarType dtype;
};

inline Autocast get_autocast(at::DeviceType device) {
#if MAGFACE_TORCH_AT_LEAST(2, 4)
  return {at::autocast::is_autocast_enabled(device), at::autocast::get_autocast_dtype(device)};
#else
  if (device == at::kCUDA) return {at::autocast::is_enabled(), at::autocast::get_autocast_gpu_dtype()};
  return {at::autocast::is_cpu_enabled(), at::autocast::get_autocast_cpu_dtype()};
#endif
}

inline void set_autocast(at::DeviceType device, Autocast value) {
#if MAGFACE_TORCH_AT_LEAST(2, 4)
  at::autocast::set_autocast_enabled(device, value.enabled);
  at::autocast::set_autocast_dtype(device, value.dtype);
#else
  if (device == at::kCUDA) {
    at::autocast::set_enabled(value.enabled);
    at::autocast::set_autocast_gpu_dtype(value.dtype);
  } else {
    at::autocast::set_cpu_enabled(value.enabled);
    at::autocast::set_autocast_cpu_dtype(value.dtype);
  }
#endif
}

}  // namespace magface
