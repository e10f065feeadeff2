// A network at inference alone: its steps and weights come in once, then batches go through in a thread of libuv, in
// packed_type(), so that JavaScript goes on meanwhile. Values are (N, C, H, W) with the channels last in memory, or (N, C).
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>

#include <mutex>
#include <optional>
#include <unordered_map>

#include "channel_kernels.h"
#include "errors.h"
#include "handle.h"
#include "packed_layers.h"

namespace magface {
namespace {

using at::Tensor;
using Values = std::unordered_map<std::string, Tensor>;

/// (N, C) or the channels last, as rows of channels.
int64_t rows_of(const Tensor& x) { return x.numel() / x.size(1); }

Tensor channels_last(const Tensor& x) {
  return x.contiguous(x.dim() == 4 ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous);
}

/// As a row of features a face, in the order of memory: what weights were given for.
Tensor flattened(const Tensor& x) {
  const Tensor packed = channels_last(x);
  return packed.as_strided({x.size(0), x.numel() / x.size(0)}, {x.numel() / x.size(0), 1}).to(packed_type());
}

/// One call. `reads` are names of values; what no later step reads may be written over.
struct Step {
  std::vector<std::string> reads;
  std::string writes;
  std::vector<std::string> frees;
  virtual ~Step() = default;
  /// x is the first value read, other the second or undefined; `mine` says of each that no later step reads it
  virtual Tensor run(Tensor x, Tensor other, bool x_is_mine, bool other_is_mine) = 0;
};

struct LinearStep : Step {
  PackedLinear layer;
  LinearStep(const Tensor& weight, const Tensor& bias) : layer(weight, bias) {}
  Tensor run(Tensor x, Tensor, bool, bool) override { return layer.run(flattened(x)); }
};

/// y = PReLU(x · scale + offset) + residual, each of them a channel's
struct LineStep : Step {
  Tensor scale, offset, slope;

  Tensor run(Tensor given, Tensor residual, bool mine, bool) override {
    const Tensor x = channels_last(given);
    const Tensor r = residual.defined() ? channels_last(residual).to(x.scalar_type()) : residual;
    Tensor y = mine ? x : at::empty_like(x);
    if (x.size(1) % 32 != 0) return composed(x, r);
    if (x.scalar_type() == at::kBFloat16) apply<uint16_t>(bfloat16_kernels(), x, r, y);
    else apply<float>(float_kernels(), x, r, y);
    return y;
  }

 private:
  template <typename T>
  void apply(const ChannelKernels<T>& kernels, const Tensor& x, const Tensor& r, Tensor& y) const {
    const int64_t c = x.size(1);
    const Line line{scale.data_ptr<float>(), offset.data_ptr<float>(), slope.defined() ? slope.data_ptr<float>() : nullptr};
    const auto data = [](const Tensor& t) { return static_cast<T*>(t.data_ptr()); };
    at::parallel_for(0, rows_of(x), 1 + 32768 / c, [&](int64_t first, int64_t last) {
      kernels.apply(data(x) + first * c, r.defined() ? data(r) + first * c : nullptr, data(y) + first * c, last - first,
                    c, line);
    });
  }

  Tensor composed(const Tensor& x, const Tensor& r) const {
    std::vector<int64_t> shape(x.dim(), 1);
    shape[1] = x.size(1);
    Tensor y = x.to(at::kFloat).mul(scale.view(shape)).add_(offset.view(shape));
    if (slope.defined()) y = at::where(y.gt(0), y, y.mul(slope.view(shape)));
    if (r.defined()) y.add_(r);
    return y.to(x.scalar_type());
  }
};

/// Between lines, either of which may be missing: the layer's own loops do what those say where they can.
struct ConvolutionStep : Step {
  PackedConvolution layer;
  std::optional<LineStep> entry, exit;
  ConvolutionStep(const Tensor& weight, const Tensor& bias, const Geometry& geometry, const Limits& limits)
      : layer(weight, bias, geometry, limits) {}

  Tensor run(Tensor given, Tensor sum, bool x_is_mine, bool sum_is_mine) override {
    const Tensor x = channels_last(given);
    if (sum.defined() && (!sum_is_mine || sum.data_ptr() == x.data_ptr())) sum = sum.clone();
    if (layer.takes_lines(x))
      return layer.run({entry ? entry->scale : Tensor(), entry ? entry->offset : Tensor(), exit ? exit->slope : Tensor()},
                       x, sum);
    const Tensor y = layer.run(entry ? entry->run(x, {}, x_is_mine, false) : x, sum);
    return exit ? exit->run(y, {}, true, false) : y;
  }
};

struct ClampStep : Step {
  Limits limits;
  Tensor run(Tensor x, Tensor, bool mine, bool) override {
    return mine ? x.clamp_(limits.low, limits.high) : x.clamp(limits.low, limits.high);
  }
};

/// x + other
struct AddStep : Step {
  Tensor run(Tensor x, Tensor other, bool mine, bool) override { return mine ? x.add_(other) : x.add(other); }
};

/// Mean over height and width: (N, C, 1, 1)
struct AverageStep : Step {
  Tensor run(Tensor x, Tensor, bool, bool) override { return channels_last(x.mean({2, 3}, true)); }
};

Tensor floats(const Napi::Object& from, const char* key) {
  const Napi::Value given = from.Get(key);
  if (!given.IsTypedArray()) return Tensor();
  auto array = given.As<Napi::Float32Array>();
  return at::from_blob(array.Data(), {static_cast<int64_t>(array.ElementLength())}, at::kFloat).clone();
}

template <typename T>
std::vector<T> numbers(const Napi::Object& from, const char* key) {
  std::vector<T> all;
  const auto array = from.Get(key).As<Napi::Array>();
  for (uint32_t i = 0; i < array.Length(); ++i) all.push_back(array.Get(i).ToNumber());
  return all;
}

std::vector<std::string> names(const Napi::Object& from, const char* key) {
  std::vector<std::string> all;
  const auto array = from.Get(key).As<Napi::Array>();
  for (uint32_t i = 0; i < array.Length(); ++i) all.push_back(array.Get(i).ToString());
  return all;
}

std::array<int64_t, 2> pair(const Napi::Object& from, const char* key, size_t first = 0) {
  const auto all = numbers<int64_t>(from, key);
  return {all.at(first), all.at(first + 1)};
}

Limits limits_of(const Napi::Object& from) {
  const auto all = numbers<double>(from, "limits");
  return {static_cast<float>(all.at(0)), static_cast<float>(all.at(1))};
}

LineStep line(Tensor scale, Tensor offset, Tensor slope) {
  LineStep step;
  step.scale = std::move(scale);
  step.offset = std::move(offset);
  step.slope = std::move(slope);
  return step;
}

LineStep line_of(const Napi::Object& from) { return line(floats(from, "scale"), floats(from, "offset"), floats(from, "slope")); }

std::unique_ptr<Step> step_of(const Napi::Object& from) {
  const std::string kind = from.Get("kind").ToString();
  const auto weight = [&] { return floats(from, "weight").view(numbers<int64_t>(from, "shape")); };
  if (kind == "convolution") {
    const Geometry geometry{{pair(from, "strides"), pair(from, "pads"), pair(from, "dilations"), from.Get("groups").ToNumber()},
                            pair(from, "pads", 2)};
    auto step = std::make_unique<ConvolutionStep>(weight(), floats(from, "bias"), geometry, limits_of(from));
    const Tensor slope = floats(from, "slope");
    if (slope.defined()) step->exit = line(at::ones_like(slope), at::zeros_like(slope), slope);
    if (from.Get("entry").IsObject()) step->entry = line_of(from.Get("entry").As<Napi::Object>());
    return step;
  }
  if (kind == "linear") return std::make_unique<LinearStep>(weight(), floats(from, "bias"));
  if (kind == "line") return std::make_unique<LineStep>(line_of(from));
  if (kind == "clamp") {
    auto step = std::make_unique<ClampStep>();
    step->limits = limits_of(from);
    return step;
  }
  if (kind == "add") return std::make_unique<AddStep>();
  TORCH_CHECK(kind == "average", "no step of the kind ", kind);
  return std::make_unique<AverageStep>();
}

class ForwardGraph {
 public:
  ForwardGraph(const Napi::Array& steps, std::string input, std::string output, int threads)
      : input_(std::move(input)), output_(std::move(output)), threads_(threads) {
    for (uint32_t i = 0; i < steps.Length(); ++i) {
      const auto from = steps.Get(i).As<Napi::Object>();
      auto step = step_of(from);
      step->reads = names(from, "reads");
      step->frees = names(from, "frees");
      step->writes = from.Get("writes").ToString();
      steps_.push_back(std::move(step));
    }
  }

  /// (N, 3, H, W) float32, in either order of memory -> (N, D) float32
  Tensor run(const Tensor& input) {
    const std::lock_guard<std::mutex> one_at_a_time(mutex_);
    const c10::InferenceMode guard;
    at::set_num_threads(threads_);
    Values values{{input_, input.to(input.options().dtype(packed_type()), false, true, at::MemoryFormat::ChannelsLast)}};
    for (const auto& step : steps_) {
      const auto read = [&](size_t i) { return i < step->reads.size() ? values.at(step->reads[i]) : Tensor(); };
      const auto is_mine = [&](size_t i) {
        return i < step->reads.size() && std::count(step->frees.begin(), step->frees.end(), step->reads[i]) > 0;
      };
      Tensor y = step->run(read(0), read(1), is_mine(0), is_mine(1));
      for (const auto& name : step->frees) values.erase(name);
      values[step->writes] = std::move(y);
    }
    const Tensor y = values.at(output_);
    return y.reshape({y.size(0), -1}).to(at::kFloat).contiguous();
  }

 private:
  std::vector<std::unique_ptr<Step>> steps_;
  std::string input_, output_;
  int threads_;
  std::mutex mutex_;
};

/// One batch, in a thread of libuv.
class Run : public Napi::AsyncWorker {
 public:
  Run(Napi::Env env, std::shared_ptr<ForwardGraph> graph, const Napi::Float32Array& values, std::vector<int64_t> shape,
      bool channels_last)
      : AsyncWorker(env),
        deferred_(Napi::Promise::Deferred::New(env)),
        graph_(std::move(graph)),
        held_(Napi::Persistent(static_cast<Napi::Object>(values))),
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
  Napi::ObjectReference held_;
  Tensor input_, output_;
};

using Held = std::shared_ptr<ForwardGraph>;

/// forwardGraph(steps, input, output, threads)
Napi::Value forward_graph(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return guarded(env, "forwardGraph", [&] {
    auto graph = std::make_shared<ForwardGraph>(info[0].As<Napi::Array>(), info[1].ToString(), info[2].ToString(),
                                                info[3].ToNumber().Int32Value());
    return Napi::External<Held>::New(env, new Held(std::move(graph)), [](Napi::Env, Held* held) { delete held; });
  });
}

/// forwardRun(graph, values, shape, channelsLast)
Napi::Value forward_run(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::vector<int64_t> shape;
  const auto given = info[2].As<Napi::Array>();
  for (uint32_t i = 0; i < given.Length(); ++i) shape.push_back(given.Get(i).ToNumber());
  auto* run = new Run(env, *info[0].As<Napi::External<Held>>().Data(), info[1].As<Napi::Float32Array>(), shape,
                      info[3].ToBoolean());
  const Napi::Promise promise = run->promise();
  run->Queue();
  return promise;
}

/// forwardRelease(graph): its weights go as soon as no batch is on its way
void forward_release(const Napi::CallbackInfo& info) { info[0].As<Napi::External<Held>>().Data()->reset(); }

Napi::Value processor(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), "processor", [&] {
    Napi::Object found = Napi::Object::New(info.Env());
    found.Set("bfloat16", multiplies_bfloat16());
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
