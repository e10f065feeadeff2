// Handles of tensors and generators, and typed arrays over their memory.
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/api/include/torch/version.h>

#include <mutex>
#include <thread>

#include "dtypes.h"
#include "errors.h"
#include "handle.h"
#include "threads.h"

namespace magface {
namespace {

/// Holds references released by other threads until the JavaScript thread, the only one that may, deletes them.
class Graveyard {
 public:
  void bury(Napi::Reference<Napi::Value>* reference) {
    std::lock_guard<std::mutex> lock(mutex_);
    dead_.push_back(reference);
  }
  void clear() {
    std::lock_guard<std::mutex> lock(mutex_);
    for (auto* reference : dead_) delete reference;
    dead_.clear();
  }

 private:
  std::mutex mutex_;
  std::vector<Napi::Reference<Napi::Value>*> dead_;
};

Graveyard graveyard;

struct Slot {
  at::Tensor tensor;
  int64_t reported_bytes = 0;  // as reported to the garbage collector
};

/// Handles start here, so that a plain number is rejected in place of a tensor.
constexpr int64_t first_handle = int64_t{1} << 40;

struct Table {
  std::vector<Slot> slots;
  std::vector<size_t> vacant;
};

Table& table() {
  static Table one;
  return one;
}

Slot& slot_of(Napi::Value value, const char* asked_by) {
  if (value.IsNumber()) {
    const int64_t index = value.As<Napi::Number>().Int64Value() - first_handle;
    auto& slots = table().slots;
    if (index >= 0 && index < static_cast<int64_t>(slots.size()) && slots[index].tensor.defined()) return slots[index];
  }
  throw torch_error(value.Env(), asked_by, "", "Expected a tensor", "");
}

Napi::Value free_tensor(const Napi::CallbackInfo& info) {
  Slot& slot = slot_of(info[0], "free");
  if (slot.reported_bytes > 0) Napi::MemoryManagement::AdjustExternalMemory(info.Env(), -slot.reported_bytes);
  slot = Slot();
  table().vacant.push_back(static_cast<size_t>(info[0].As<Napi::Number>().Int64Value() - first_handle));
  return info.Env().Undefined();
}

/// collectable(tensor): reports the tensor's size to the garbage collector, because no scope frees it.
Napi::Value collectable(const Napi::CallbackInfo& info) {
  Slot& slot = slot_of(info[0], "collectable");
  slot.reported_bytes = static_cast<int64_t>(slot.tensor.nbytes());
  Napi::MemoryManagement::AdjustExternalMemory(info.Env(), slot.reported_bytes);
  return info.Env().Undefined();
}

/// Number of live tensors, for leak tests.
Napi::Value alive(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(table().slots.size() - table().vacant.size()));
}

/// fromTypedArray(array, shape, dtype): shares the array's memory and keeps the array alive.
Napi::Value from_typed_array(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return guarded(env, "fromTypedArray", [&] {
    graveyard.clear();
    const Napi::TypedArray array = info[0].As<Napi::TypedArray>();
    std::vector<int64_t> shape;
    const Napi::Array sizes = info[1].As<Napi::Array>();
    for (uint32_t i = 0; i < sizes.Length(); ++i) shape.push_back(sizes.Get(i).ToNumber().Int64Value());
    const at::ScalarType dtype = dtype_of(env, info[2].As<Napi::String>());
    void* raw = nullptr;
    napi_get_typedarray_info(env, array, nullptr, nullptr, &raw, nullptr, nullptr);
    auto* reference = new Napi::Reference<Napi::Value>(Napi::Reference<Napi::Value>::New(array, 1));
    const auto home = std::this_thread::get_id();
    auto release = [reference, home](void*) {
      if (std::this_thread::get_id() == home) delete reference;
      else graveyard.bury(reference);
    };
    return wrap(env, at::from_blob(raw, shape, release, at::TensorOptions().dtype(dtype)));
  });
}

/// bytes(tensor): an ArrayBuffer over the tensor's memory, which it keeps alive.
Napi::Value bytes(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return guarded(env, "bytes", [&]() -> Napi::Value {
    const at::Tensor& tensor = unwrap(info[0], "bytes");
    if (!tensor.is_cpu() || !tensor.is_contiguous())
      throw torch_error(env, "bytes", "",
                        "Expected a contiguous tensor on the CPU: call contiguous() or to({ device: 'cpu' }) first", "");
    if (tensor.numel() == 0) return Napi::ArrayBuffer::New(env, 0);
    auto* keep = new at::Tensor(tensor.detach());
    return Napi::ArrayBuffer::New(env, keep->data_ptr(), keep->nbytes(),
                                  [](Napi::Env, void*, at::Tensor* kept) { delete kept; }, keep);
  });
}

Napi::Value shape(const Napi::CallbackInfo& info) {
  const auto sizes = unwrap(info[0], "shape").sizes();
  Napi::Array array = Napi::Array::New(info.Env(), sizes.size());
  for (size_t i = 0; i < sizes.size(); ++i) array.Set(i, static_cast<double>(sizes[i]));
  return array;
}

Napi::Value dtype(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), dtype_name(unwrap(info[0], "dtype").scalar_type()));
}

Napi::Value device(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), unwrap(info[0], "device").device().str());
}

/// generator(device, seed): a random number generator independent of libtorch's default one.
Napi::Value generator(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return guarded(env, "generator", [&] {
    const at::Device where(std::string(info[0].As<Napi::String>()));
    at::Generator copy = at::globalContext().defaultGenerator(where).clone();
    copy.set_current_seed(static_cast<uint64_t>(info[1].As<Napi::Number>().Int64Value()));
    return Napi::External<at::Generator>::New(env, new at::Generator(std::move(copy)),
                                              [](Napi::Env, at::Generator* dead) { delete dead; });
  });
}

Napi::Value generator_state(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), "generatorState", [&] {
    return wrap(info.Env(), unwrap_generator(info[0], "generatorState").get_state());
  });
}

Napi::Value set_generator_state(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), "setGeneratorState", [&] {
    unwrap_generator(info[0], "setGeneratorState").set_state(unwrap(info[1], "setGeneratorState"));
    return info.Env().Undefined();
  });
}

/// threads(count): sets the number of threads per operator if count is above 0; returns the number.
Napi::Value threads(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), "threads", [&] {
    const int count = info[0].As<Napi::Number>().Int32Value();
    if (count > 0) use_threads(count);
    return Napi::Number::New(info.Env(), at::get_num_threads());
  });
}

Napi::Value cuda_devices(const Napi::CallbackInfo& info) {
  const bool has_cuda = at::globalContext().hasCUDA();
  return Napi::Number::New(info.Env(), has_cuda ? static_cast<double>(at::detail::getCUDAHooks().getNumGPUs()) : 0);
}

}  // namespace

Napi::Value wrap(Napi::Env env, at::Tensor tensor) {
  if (!tensor.defined()) return env.Null();
  Table& all = table();
  size_t index = all.slots.size();
  if (all.vacant.empty()) {
    all.slots.emplace_back();
  } else {
    index = all.vacant.back();
    all.vacant.pop_back();
  }
  all.slots[index].tensor = std::move(tensor);
  return Napi::Number::New(env, static_cast<double>(first_handle + static_cast<int64_t>(index)));
}

const at::Tensor& unwrap(Napi::Value value, const char* asked_by) { return slot_of(value, asked_by).tensor; }

at::Generator& unwrap_generator(Napi::Value value, const char* asked_by) {
  if (!value.IsExternal()) throw torch_error(value.Env(), asked_by, "", "Expected a generator", "");
  return *value.As<Napi::External<at::Generator>>().Data();
}

Napi::Object init_tensor(Napi::Env env, Napi::Object exports) {
  exports.Set("free", Napi::Function::New(env, free_tensor));
  exports.Set("collectable", Napi::Function::New(env, collectable));
  exports.Set("alive", Napi::Function::New(env, alive));
  exports.Set("fromTypedArray", Napi::Function::New(env, from_typed_array));
  exports.Set("bytes", Napi::Function::New(env, bytes));
  exports.Set("shape", Napi::Function::New(env, shape));
  exports.Set("dtype", Napi::Function::New(env, dtype));
  exports.Set("device", Napi::Function::New(env, device));
  exports.Set("generator", Napi::Function::New(env, generator));
  exports.Set("generatorState", Napi::Function::New(env, generator_state));
  exports.Set("setGeneratorState", Napi::Function::New(env, set_generator_state));
  exports.Set("threads", Napi::Function::New(env, threads));
  exports.Set("cudaDevices", Napi::Function::New(env, cuda_devices));
  exports.Set("version", Napi::String::New(env, TORCH_VERSION));
  return exports;
}

}  // namespace magface
