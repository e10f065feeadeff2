// JavaScript refers to a tensor by a number, its index in one table. There is no V8 object behind it, so freeing is
// immediate and leaves no small block between the large ones for the garbage collector.
#pragma once
#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>
#include <napi.h>

namespace magface {

/// A new handle for `tensor`; null for an undefined tensor.
Napi::Value wrap(Napi::Env env, at::Tensor tensor);

/// The tensor of a handle. The reference is valid until the next wrap().
const at::Tensor& unwrap(Napi::Value value, const char* asked_by);

at::Generator& unwrap_generator(Napi::Value value, const char* asked_by);

Napi::Object init_tensor(Napi::Env env, Napi::Object exports);
Napi::Object init_dispatch(Napi::Env env, Napi::Object exports);
Napi::Object init_autograd(Napi::Env env, Napi::Object exports);
Napi::Object init_sgd(Napi::Env env, Napi::Object exports);
Napi::Object init_allocator(Napi::Env env, Napi::Object exports);
Napi::Object init_convolution(Napi::Env env, Napi::Object exports);
Napi::Object init_fused(Napi::Env env, Napi::Object exports);
Napi::Object init_forward_graph(Napi::Env env, Napi::Object exports);
Napi::Object init_collective(Napi::Env env, Napi::Object exports);
Napi::Object init_reducer(Napi::Env env, Napi::Object exports);

}  // namespace magface
