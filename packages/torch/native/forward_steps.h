// One step of a network at inference: a layer, or what is done between two of them.
#pragma once
#include <ATen/core/Tensor.h>
#include <napi.h>

#include <memory>
#include <string>
#include <vector>

namespace magface {

/// One call. `reads` are names of values; what no later step reads may be written over.
struct ForwardStep {
  std::vector<std::string> reads;
  std::string writes;
  std::vector<std::string> frees;
  virtual ~ForwardStep() = default;
  /// x is the first value read, other the second or undefined; `mine` says of each that no later step reads it
  virtual at::Tensor run(at::Tensor x, at::Tensor other, bool x_is_mine, bool other_is_mine) = 0;
};

/// As binding.ts describes them. @throws c10::Error where it makes no sense
std::unique_ptr<ForwardStep> forward_step(const Napi::Object& from);

}  // namespace magface
