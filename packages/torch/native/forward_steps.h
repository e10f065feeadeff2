// One step of an inference network: a layer, or an operation between two layers.
#pragma once
#include <ATen/core/Tensor.h>
#include <napi.h>

#include <memory>
#include <string>
#include <vector>

namespace magface {

/// One step. `reads`, `writes` and `frees` name values; `frees` lists those that no later step reads.
struct ForwardStep {
  std::vector<std::string> reads;
  std::string writes;
  std::vector<std::string> frees;
  virtual ~ForwardStep() = default;
  /// x is the first value read, other the second or undefined. A value may be overwritten if no later step reads it.
  virtual at::Tensor run(at::Tensor x, at::Tensor other, bool may_overwrite_x, bool may_overwrite_other) = 0;
};

/// Creates a step from its description (binding.ts). @throws c10::Error if it is invalid
std::unique_ptr<ForwardStep> forward_step(const Napi::Object& from);

}  // namespace magface
