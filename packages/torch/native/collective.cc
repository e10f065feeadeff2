// JavaScript bindings of stores, groups and collectives.
#include "collective.h"

#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#ifdef USE_C10D_GLOO
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#endif
#ifdef USE_C10D_NCCL
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif

#include <deque>

#include "errors.h"
#include "handle.h"

namespace magface {
namespace {

using StorePointer = c10::intrusive_ptr<c10d::Store>;
using std::chrono::milliseconds;

/// Never destroyed: a group's destructor waits for the other ranks, which may be gone at exit.
std::deque<Group>& groups() {
  static auto* all = new std::deque<Group>;
  return *all;
}

std::deque<StorePointer>& stores() {
  static auto* all = new std::deque<StorePointer>;
  return *all;
}

StorePointer& store_of(Napi::Value value) { return stores().at(value.As<Napi::Number>().Uint32Value()); }

milliseconds milliseconds_of(Napi::Value value) { return milliseconds(value.As<Napi::Number>().Int64Value()); }

std::vector<uint8_t> bytes_of(const std::string& text) { return {text.begin(), text.end()}; }

/// store(host, port, isServer, timeout): {store, port}; port 0 picks a free one.
Napi::Value store(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return guarded(env, "store", [&] {
    c10d::TCPStoreOptions options;
    options.port = static_cast<uint16_t>(info[1].As<Napi::Number>().Uint32Value());
    options.isServer = info[2].As<Napi::Boolean>();
    options.waitWorkers = false;
    options.timeout = milliseconds_of(info[3]);
    auto made = c10::make_intrusive<c10d::TCPStore>(std::string(info[0].As<Napi::String>()), options);
    made->setTimeout(options.timeout);
    Napi::Object result = Napi::Object::New(env);
    result.Set("port", static_cast<double>(made->getPort()));
    stores().push_back(std::move(made));
    result.Set("store", static_cast<double>(stores().size() - 1));
    return result;
  });
}

/// storeSet(store, key, text)
Napi::Value store_set(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), "storeSet", [&] {
    store_of(info[0])->set(info[1].As<Napi::String>(), bytes_of(info[2].As<Napi::String>()));
    return info.Env().Undefined();
  });
}

/// storeGet(store, key): waits until some process has set the key.
Napi::Value store_get(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), "storeGet", [&] {
    const auto bytes = store_of(info[0])->get(info[1].As<Napi::String>());
    return Napi::String::New(info.Env(), std::string(bytes.begin(), bytes.end()));
  });
}

/// storeHas(store, key)
Napi::Value store_has(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), "storeHas", [&] {
    return Napi::Boolean::New(info.Env(), store_of(info[0])->check({info[1].As<Napi::String>()}));
  });
}

#ifdef USE_C10D_GLOO
c10::intrusive_ptr<Collectives> gloo_group(const StorePointer& store, int rank, int size, milliseconds timeout,
                                           const std::string& address) {
  auto options = c10d::ProcessGroupGloo::Options::create(timeout);
  const char* interface = std::getenv("GLOO_SOCKET_IFNAME");
  options->devices.push_back(interface != nullptr ? c10d::ProcessGroupGloo::createDeviceForInterface(interface)
                             : address.empty()    ? c10d::ProcessGroupGloo::createDefaultDevice()
                                                  : c10d::ProcessGroupGloo::createDeviceForHostname(address));
  return c10::make_intrusive<c10d::ProcessGroupGloo>(store, rank, size, options);
}
#endif

#ifdef USE_C10D_NCCL
c10::intrusive_ptr<Collectives> nccl_group(const StorePointer& store, int rank, int size, milliseconds timeout) {
  auto options = c10d::ProcessGroupNCCL::Options::create();
  options->timeout = timeout;
  return c10::make_intrusive<c10d::ProcessGroupNCCL>(store, rank, size, options);
}
#endif

/// group(backend, store, prefix, rank, size, timeout, address): address of this machine; empty lets Gloo find it.
Napi::Value group(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return guarded(env, "group", [&]() -> Napi::Value {
    const std::string kind = info[0].As<Napi::String>();
    const StorePointer store = c10::make_intrusive<c10d::PrefixStore>(info[2].As<Napi::String>(), store_of(info[1]));
    const int rank = info[3].As<Napi::Number>();
    const int size = info[4].As<Napi::Number>();
    const milliseconds timeout = milliseconds_of(info[5]);
    store->setTimeout(timeout);
    c10::intrusive_ptr<Collectives> backend;
#ifdef USE_C10D_GLOO
    if (kind == "gloo") backend = gloo_group(store, rank, size, timeout, info[6].As<Napi::String>());
#endif
#ifdef USE_C10D_NCCL
    if (kind == "nccl") backend = nccl_group(store, rank, size, timeout);
#endif
    if (!backend) throw torch_error(env, "group", "", "libtorch was built without " + kind + ": use another backend", "");
    groups().push_back({std::move(backend), rank, size, ""});
    return Napi::Number::New(env, static_cast<double>(groups().size() - 1));
  });
}

/// groupFailure(group): message of the first failed collective, or empty.
Napi::Value group_failure(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), group_of(info[0]).failure);
}

struct Pending {
  Group& group;
  Work work;
};

Napi::Value pending(Napi::Env env, Group& group, Work work) {
  return Napi::External<Pending>::New(env, new Pending{group, std::move(work)},
                                      [](Napi::Env, Pending* dead) { delete dead; });
}

/// allReduce(group, tensor, op): work; op is sum or max.
Napi::Value all_reduce(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), "allReduce", [&] {
    Group& group = group_of(info[0]);
    const bool is_max = std::string(info[2].As<Napi::String>()) == "max";
    return pending(info.Env(), group, start_all_reduce(group, unwrap(info[1], "allReduce"),
                                                       is_max ? c10d::ReduceOp::MAX : c10d::ReduceOp::SUM));
  });
}

/// broadcast(group, tensor, root): work
Napi::Value broadcast(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), "broadcast", [&] {
    Group& group = group_of(info[0]);
    std::vector<at::Tensor> tensors{unwrap(info[1], "broadcast").detach()};
    c10d::BroadcastOptions options;
    options.rootRank = info[2].As<Napi::Number>().Int64Value();
    return pending(info.Env(), group, group.backend->broadcast(tensors, options));
  });
}

/// allGather(group, outputs, input): work; one output per rank, each with the shape of the input.
Napi::Value all_gather(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), "allGather", [&] {
    Group& group = group_of(info[0]);
    std::vector<std::vector<at::Tensor>> outputs(1);
    const Napi::Array array = info[1].As<Napi::Array>();
    for (uint32_t i = 0; i < array.Length(); ++i) outputs[0].push_back(unwrap(array.Get(i), "allGather").detach());
    std::vector<at::Tensor> inputs{unwrap(info[2], "allGather").detach()};
    return pending(info.Env(), group, group.backend->allgather(outputs, inputs));
  });
}

/// wait(work): blocks the JavaScript thread until it is done, then releases the work's tensors.
Napi::Value wait(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), "wait", [&] {
    Pending& one = *info[0].As<Napi::External<Pending>>().Data();
    const Work work = std::move(one.work);
    if (work) finish(one.group, work);
    return info.Env().Undefined();
  });
}

/// isDone(work)
Napi::Value is_done(const Napi::CallbackInfo& info) {
  const Pending& one = *info[0].As<Napi::External<Pending>>().Data();
  return Napi::Boolean::New(info.Env(), !one.work || one.work->isCompleted());
}

}  // namespace

Group& group_of(Napi::Value value) { return groups().at(value.As<Napi::Number>().Uint32Value()); }

Work start_all_reduce(Group& group, const at::Tensor& tensor, c10d::ReduceOp::RedOpType op) {
  std::vector<at::Tensor> tensors{tensor.detach()};
  c10d::AllreduceOptions options;
  options.reduceOp = op;
  return group.backend->allreduce(tensors, options);
}

void finish(Group& group, const Work& work) {
  try {
    work->wait();
  } catch (const std::exception& error) {
    if (group.failure.empty()) group.failure = error.what();
    throw;
  }
}

Napi::Object init_collective(Napi::Env env, Napi::Object exports) {
  exports.Set("store", Napi::Function::New(env, store));
  exports.Set("storeSet", Napi::Function::New(env, store_set));
  exports.Set("storeGet", Napi::Function::New(env, store_get));
  exports.Set("storeHas", Napi::Function::New(env, store_has));
  exports.Set("group", Napi::Function::New(env, group));
  exports.Set("groupFailure", Napi::Function::New(env, group_failure));
  exports.Set("allReduce", Napi::Function::New(env, all_reduce));
  exports.Set("broadcast", Napi::Function::New(env, broadcast));
  exports.Set("allGather", Napi::Function::New(env, all_gather));
  exports.Set("wait", Napi::Function::New(env, wait));
  exports.Set("isDone", Napi::Function::New(env, is_done));
  return exports;
}

}  // namespace magface
