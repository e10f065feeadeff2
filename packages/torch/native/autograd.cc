// Gradients, and the two modes that apply to operators: autograd recording and autocast.
#include <torch/csrc/autograd/autograd.h>

#include "bfloat16_emulation.h"
#include "compat.h"
#include "dtypes.h"
#include "errors.h"
#include "handle.h"

namespace magface {
namespace {

std::vector<at::Tensor> tensors_of(Napi::Value value, const char* asked_by) {
  std::vector<at::Tensor> tensors;
  const Napi::Array array = value.As<Napi::Array>();
  for (uint32_t i = 0; i < array.Length(); ++i) tensors.push_back(unwrap(array.Get(i), asked_by));
  return tensors;
}

std::vector<at::Tensor> one_or_none(Napi::Value value, const char* asked_by) {
  if (value.IsUndefined() || value.IsNull()) return {};
  return {unwrap(value, asked_by)};
}

std::string shape_text(Napi::Value value) {
  std::ostringstream text;
  text << unwrap(value, "backward").sizes();
  return text.str();
}

/// backward(tensor, gradient?, retainGraph)
Napi::Value backward(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), "backward", [&] { return shape_text(info[0]); }, [&] {
    torch::autograd::backward({unwrap(info[0], "backward")}, one_or_none(info[1], "backward"),
                              info[2].ToBoolean().Value());
    return info.Env().Undefined();
  });
}

/// grad(output, inputs, gradient?, retainGraph): null for inputs that the output does not depend on.
Napi::Value grad(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return guarded(env, "grad", [&] { return shape_text(info[0]); }, [&] {
    auto gradients = torch::autograd::grad({unwrap(info[0], "grad")}, tensors_of(info[1], "grad"),
                                           one_or_none(info[2], "grad"), info[3].ToBoolean().Value(), false, true);
    Napi::Array result = Napi::Array::New(env, gradients.size());
    for (size_t i = 0; i < gradients.size(); ++i) result.Set(i, wrap(env, std::move(gradients[i])));
    return result;
  });
}

Napi::Value requires_grad(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), "requiresGrad", [&] {
    const at::Tensor& tensor = unwrap(info[0], "requiresGrad");
    if (info[1].IsBoolean()) tensor.set_requires_grad(info[1].As<Napi::Boolean>());
    return Napi::Boolean::New(info.Env(), tensor.requires_grad());
  });
}

Napi::Value gradient(const Napi::CallbackInfo& info) {
  return wrap(info.Env(), unwrap(info[0], "gradient").grad());
}

Napi::Value set_gradient(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), "setGradient", [&] {
    const auto value = one_or_none(info[1], "setGradient");
    unwrap(info[0], "setGradient").mutable_grad() = value.empty() ? at::Tensor() : value[0];
    return info.Env().Undefined();
  });
}

/// recording(on?): switches recording if given; returns the previous state.
Napi::Value recording(const Napi::CallbackInfo& info) {
  const bool before = at::GradMode::is_enabled();
  if (info[0].IsBoolean()) at::GradMode::set_enabled(info[0].As<Napi::Boolean>());
  return Napi::Boolean::New(info.Env(), before);
}

/// autocast(device, dtype | null): switches autocast; returns the previous dtype, or null if it was off.
Napi::Value autocast(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return guarded(env, "autocast", [&]() -> Napi::Value {
    const at::DeviceType type = at::Device(std::string(info[0].As<Napi::String>())).type();
    const Autocast before = get_autocast(type);
    const bool on = info[1].IsString();
    if (on && type == at::kCPU) enable_bfloat16_emulation();
    set_autocast(type, {on, on ? dtype_of(env, info[1].As<Napi::String>()) : before.dtype});
    at::autocast::clear_cache();  // cached casts of weights must not outlive the step that updates the weights
    if (!before.enabled) return env.Null();
    return Napi::String::New(env, dtype_name(before.dtype));
  });
}

}  // namespace

Napi::Object init_autograd(Napi::Env env, Napi::Object exports) {
  exports.Set("backward", Napi::Function::New(env, backward));
  exports.Set("grad", Napi::Function::New(env, grad));
  exports.Set("requiresGrad", Napi::Function::New(env, requires_grad));
  exports.Set("gradient", Napi::Function::New(env, gradient));
  exports.Set("setGradient", Napi::Function::New(env, set_gradient));
  exports.Set("recording", Napi::Function::New(env, recording));
  exports.Set("autocast", Napi::Function::New(env, autocast));
  return exports;
}

}  // namespace magface
