// Sums gradients over all ranks while backward still runs. Parameters are grouped into buckets, last ones first, and a
// bucket is sent as soon as its last gradient is ready.
#include <ATen/ATen.h>
#include <torch/csrc/autograd/functions/accumulate_grad.h>
#include <torch/csrc/autograd/utils/lambda_post_hook.h>
#include <torch/csrc/autograd/variable.h>

#include "collective.h"
#include "errors.h"
#include "handle.h"

namespace magface {
namespace {

using at::Tensor;
using torch::autograd::variable_list;

struct Bucket {
  std::vector<Tensor> parameters;
  Tensor flat;
  size_t missing = 0;
  Work work;
};

class Reducer {
 public:
  Reducer(Group& group, const std::vector<Tensor>& parameters, int64_t bucket_bytes) : group_(group) {
    int64_t bytes = bucket_bytes;
    for (auto one = parameters.rbegin(); one != parameters.rend(); ++one) {
      if (bytes >= bucket_bytes) {
        buckets_.emplace_back();
        bytes = 0;
      }
      bytes += static_cast<int64_t>(one->nbytes());
      buckets_.back().parameters.push_back(*one);
    }
    for (size_t i = 0; i < buckets_.size(); ++i) listen(i);
  }
  Reducer(const Reducer&) = delete;

  ~Reducer() {
    for (auto& [accumulator, hook] : hooks_) accumulator->del_post_hook(hook);
  }

  /// Arms the reducer for the next backward pass.
  void start() {
    for (Bucket& bucket : buckets_) bucket.missing = bucket.parameters.size();
    next_ = 0;
    is_on_ = true;
  }

  /// Waits for every bucket and writes the sums to the gradients.
  void finish_all() {
    is_on_ = false;
    while (next_ < buckets_.size()) launch(buckets_[next_++]);  // buckets with a parameter that backward did not reach
    for (Bucket& bucket : buckets_) {
      const Work work = std::move(bucket.work);
      finish(group_, work);
      each(bucket, [](const Tensor& parameter, const Tensor& part) {
        if (parameter.grad().defined()) parameter.mutable_grad().copy_(part);
      });
    }
  }

 private:
  void listen(size_t index) {
    for (const Tensor& parameter : buckets_[index].parameters) {
      auto accumulator = torch::autograd::impl::grad_accumulator(parameter);
      const auto hook = accumulator->add_post_hook(std::make_unique<torch::autograd::utils::LambdaPostHook>(
          [this, index](const variable_list& outputs, const variable_list&) {
            if (is_on_) arrived(index);
            return outputs;
          }));
      hooks_.emplace_back(std::move(accumulator), hook);
    }
  }

  /// Sends buckets in order, so that every rank starts its collectives in the same order.
  void arrived(size_t index) {
    --buckets_[index].missing;
    while (next_ < buckets_.size() && buckets_[next_].missing == 0) launch(buckets_[next_++]);
  }

  void launch(Bucket& bucket) {
    at::NoGradGuard no_grad;
    if (!bucket.flat.defined()) {
      int64_t count = 0;
      for (const Tensor& parameter : bucket.parameters) count += parameter.numel();
      bucket.flat = at::empty({count}, bucket.parameters[0].options().requires_grad(false));
    }
    each(bucket, [](const Tensor& parameter, const Tensor& part) {
      if (parameter.grad().defined()) part.copy_(parameter.grad());
      else part.zero_();
    });
    bucket.work = start_all_reduce(group_, bucket.flat);
  }

  template <typename Body>
  static void each(Bucket& bucket, Body body) {
    at::NoGradGuard no_grad;
    int64_t at = 0;
    for (const Tensor& parameter : bucket.parameters) {
      body(parameter, bucket.flat.narrow(0, at, parameter.numel()).view(parameter.sizes()));
      at += parameter.numel();
    }
  }

  Group& group_;
  std::vector<Bucket> buckets_;
  /// A std::shared_ptr; an intrusive pointer since libtorch 2.14.
  using Accumulator = decltype(torch::autograd::impl::grad_accumulator(std::declval<Tensor>()));
  std::vector<std::pair<Accumulator, uintptr_t>> hooks_;
  size_t next_ = 0;
  bool is_on_ = false;
};

Reducer& reducer_of(Napi::Value value) { return *value.As<Napi::External<Reducer>>().Data(); }

/// reducer(group, parameters, bucketBytes)
Napi::Value reducer(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return guarded(env, "reducer", [&] {
    std::vector<Tensor> parameters;
    const Napi::Array array = info[1].As<Napi::Array>();
    for (uint32_t i = 0; i < array.Length(); ++i) parameters.push_back(unwrap(array.Get(i), "reducer"));
    auto* made = new Reducer(group_of(info[0]), parameters, info[2].As<Napi::Number>().Int64Value());
    return Napi::External<Reducer>::New(env, made, [](Napi::Env, Reducer* dead) { delete dead; });
  });
}

Napi::Value reducer_start(const Napi::CallbackInfo& info) {
  reducer_of(info[0]).start();
  return info.Env().Undefined();
}

Napi::Value reducer_finish(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), "reducerFinish", [&] {
    reducer_of(info[0]).finish_all();
    return info.Env().Undefined();
  });
}

}  // namespace

Napi::Object init_reducer(Napi::Env env, Napi::Object exports) {
  exports.Set("reducer", Napi::Function::New(env, reducer));
  exports.Set("reducerStart", Napi::Function::New(env, reducer_start));
  exports.Set("reducerFinish", Napi::Function::New(env, reducer_finish));
  return exports;
}

}  // namespace magface
