// Runs a network for inference only. It receives the steps and weights once, then runs batches in packed_type() on its
// own thread. Values are (N, C, H, W), channels last in memory, or (N, C).
#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <unordered_map>

#include "channel_kernels.h"
#include "compute_thread.h"
#include "errors.h"
#include "forward_steps.h"
#include "packed_layers.h"
#include "threads.h"

namespace magface {
namespace {

using at::Tensor;
using Values = std::unordered_map<std::string, Tensor>;

class ForwardGraph {
 public:
  ForwardGraph(const Napi::Array& steps, std::string input, std::string output, int threads)
      : input_(std::move(input)), output_(std::move(output)), threads_(threads) {
    for (uint32_t i = 0; i < steps.Length(); ++i) steps_.push_back(forward_step(steps.Get(i).As<Napi::Object>()));
  }

  /// (N, 3, H, W) float32, in either memory layout -> (N, D) float32
  Tensor run(const Tensor& input) {
    Tensor y;
    thread_.run([&] { y = forward(input); });
    return y;
  }

 private:
  Tensor forward(const Tensor& input) {
    const c10::InferenceMode guard;
    use_threads(threads_);
    Values values{{input_, input.to(input.options().dtype(packed_type()), false, true, at::MemoryFormat::ChannelsLast)}};
    const auto value_of = [&](const std::string& name) -> const Tensor& {
      const auto found = values.find(name);
      TORCH_CHECK(found != values.end(), "Expected a value named ", name, " but no earlier step writes it");
      return found->second;
    };
    for (const auto& step : steps_) {
      const auto read = [&](size_t i) { return i < step->reads.size() ? value_of(step->reads[i]) : Tensor(); };
      const auto may_overwrite = [&](size_t i) {
        return i < step->reads.size() && std::count(step->frees.begin(), step->frees.end(), step->reads[i]) > 0;
      };
      Tensor y = step->run(read(0), read(1), may_overwrite(0), may_overwrite(1));
      for (const auto& name : step->frees) values.erase(name);
      values[step->writes] = std::move(y);
    }
    const Tensor y = value_of(output_);
    return y.reshape({y.size(0), -1}).to(at::kFloat).contiguous();
  }

  std::vector<std::unique_ptr<ForwardStep>> steps_;
  std::string input_, output_;
  int threads_;
  ComputeThread thread_;
};

/// One batch. A libuv thread waits for it.
class Run : public Napi::AsyncWorker {
 public:
  Run(Napi::Env env, std::shared_ptr<ForwardGraph> graph, const Napi::Float32Array& values, std::vector<int64_t> shape,
      bool channels_last)
      : AsyncWorker(env),
        deferred_(Napi::Promise::Deferred::New(env)),
        graph_(std::move(graph)),
        values_reference_(Napi::Persistent(static_cast<Napi::Object>(values))),
        input_(at::from_blob(const_cast<float*>(values.Data()), shape, at::kFloat)) {
    if (channels_last) input_ = input_.permute({0, 3, 1, 2});
  }
  Napi::Promise promise() const { return deferred_.Promise(); }

  void Execute() override {
    try {
      output_ = graph_->run(input_);
    } catch (const c10::Error& error) {
      SetError(error.what_without_backtrace());
    } catch (const std::exception& error) {
      SetError(error.what());
    }
  }
  void OnOK() override {
    auto result = Napi::Float32Array::New(Env(), output_.numel());
    std::memcpy(result.Data(), output_.data_ptr(), output_.nbytes());
    deferred_.Resolve(result);
  }
  void OnError(const Napi::Error& error) override {
    deferred_.Reject(torch_error(Env(), "forwardGraph", "", error.Message(), "").Value());
  }

 private:
  Napi::Promise::Deferred deferred_;
  std::shared_ptr<ForwardGraph> graph_;
  Napi::ObjectReference values_reference_;
  Tensor input_, output_;
};

using GraphPointer = std::shared_ptr<ForwardGraph>;

/// forwardGraph(steps, input, output, threads)
Napi::Value forward_graph(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return guarded(env, "forwardGraph", [&] {
    auto graph = std::make_shared<ForwardGraph>(info[0].As<Napi::Array>(), info[1].ToString(), info[2].ToString(),
                                                info[3].ToNumber().Int32Value());
    return Napi::External<GraphPointer>::New(env, new GraphPointer(std::move(graph)),
                                             [](Napi::Env, GraphPointer* pointer) { delete pointer; });
  });
}

/// forwardRun(graph, values, shape, channelsLast)
Napi::Value forward_run(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return guarded(env, "forwardGraph", [&] {
    const auto given = info[2].As<Napi::Array>();
    const auto values = info[1].As<Napi::Float32Array>();
    std::vector<int64_t> shape;
    for (uint32_t i = 0; i < given.Length(); ++i) shape.push_back(given.Get(i).ToNumber());
    const bool is_batch = shape.size() == 4 && *std::min_element(shape.begin(), shape.end()) > 0;
    TORCH_CHECK(is_batch && c10::multiply_integers(shape) == int64_t(values.ElementLength()),
                "Expected the values of a batch (N, C, H, W) but got ", values.ElementLength(), " values for ",
                at::IntArrayRef(shape));
    auto* run = new Run(env, *info[0].As<Napi::External<GraphPointer>>().Data(), values, shape, info[3].ToBoolean());
    const Napi::Promise promise = run->promise();
    run->Queue();
    return promise;
  });
}

/// forwardRelease(graph): frees the weights once all pending batches are done
void forward_release(const Napi::CallbackInfo& info) { info[0].As<Napi::External<GraphPointer>>().Data()->reset(); }

Napi::Value processor(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), "processor", [&] {
    Napi::Object found = Napi::Object::New(info.Env());
    found.Set("bfloat16", has_bfloat16());
    found.Set("kernels", kernels_name());
    found.Set("packedBy", packed_by());
    return found;
  });
}

}  // namespace

Napi::Object init_forward_graph(Napi::Env env, Napi::Object exports) {
  exports.Set("forwardGraph", Napi::Function::New(env, forward_graph));
  exports.Set("forwardRun", Napi::Function::New(env, forward_run));
  exports.Set("forwardRelease", Napi::Function::New(env, forward_release));
  exports.Set("processor", Napi::Function::New(env, processor));
  return exports;
}

}  // namespace magface
