#include "forward_steps.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <optional>

#include "channel_kernels.h"
#include "packed_layers.h"

namespace magface {

using at::Tensor;

namespace {

/// Rows of channels in a tensor (N, C) or (N, C, H, W), channels last.
int64_t rows_of(const Tensor& x) { return x.numel() / x.size(1); }

Tensor channels_last(const Tensor& x) {
  return x.contiguous(x.dim() == 4 ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous);
}

/// One row of features per face, in memory order, for which the weights were made.
Tensor flattened(const Tensor& x) {
  const Tensor packed = channels_last(x);
  return packed.as_strided({x.size(0), x.numel() / x.size(0)}, {x.numel() / x.size(0), 1}).to(packed_type());
}

struct LinearStep : ForwardStep {
  PackedLinear layer;
  LinearStep(const Tensor& weight, const Tensor& bias) : layer(weight, bias) {}
  Tensor run(Tensor x, Tensor, bool, bool) override { return layer.run(flattened(x)); }
};

/// y = PReLU(x · scale + offset) + residual, with a scale, offset and slope per channel
struct AffineStep : ForwardStep {
  Tensor scale, offset, slope;

  Tensor run(Tensor given, Tensor residual, bool in_place, bool) override {
    const Tensor x = channels_last(given);
    TORCH_CHECK(x.dim() >= 2 && x.size(1) == scale.numel(), "Expected ", scale.numel(), " channels but got values of ",
                x.sizes());
    TORCH_CHECK(!residual.defined() || residual.sizes() == x.sizes(), "Expected to add values of ", x.sizes(), " but got ",
                residual.sizes());
    const Tensor r = residual.defined() ? channels_last(residual).to(x.scalar_type()) : residual;
    Tensor y = in_place ? x : at::empty_like(x);
    if (x.size(1) % 32 != 0) return composed(x, r);
    if (x.scalar_type() == at::kBFloat16) apply<uint16_t>(bfloat16_kernels(), x, r, y);
    else apply<float>(float_kernels(), x, r, y);
    return y;
  }

 private:
  template <typename T>
  void apply(const ChannelKernels<T>& kernels, const Tensor& x, const Tensor& r, Tensor& y) const {
    const int64_t c = x.size(1);
    const Affine affine{scale.data_ptr<float>(), offset.data_ptr<float>(), slope.defined() ? slope.data_ptr<float>() : nullptr};
    const auto data = [](const Tensor& t) { return static_cast<T*>(t.data_ptr()); };
    at::parallel_for(0, rows_of(x), 1 + 32768 / c, [&](int64_t first, int64_t last) {
      kernels.apply(data(x) + first * c, r.defined() ? data(r) + first * c : nullptr, data(y) + first * c, last - first,
                    c, affine);
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

/// A convolution with an optional affine prologue and epilogue, fused into the convolution's loops where possible.
struct ConvolutionStep : ForwardStep {
  PackedConvolution layer;
  std::optional<AffineStep> prologue, epilogue;
  ConvolutionStep(const Tensor& weight, const Tensor& bias, const Geometry& geometry, const Limits& limits)
      : layer(weight, bias, geometry, limits) {}

  Tensor run(Tensor given, Tensor sum, bool may_overwrite_x, bool may_overwrite_sum) override {
    const Tensor x = channels_last(given);
    if (sum.defined() && (!may_overwrite_sum || sum.data_ptr() == x.data_ptr())) sum = sum.clone();
    if (layer.can_fuse(x))
      return layer.run({prologue ? prologue->scale : Tensor(), prologue ? prologue->offset : Tensor(),
                        epilogue ? epilogue->slope : Tensor()},
                       x, sum);
    const Tensor y = layer.run(prologue ? prologue->run(x, {}, may_overwrite_x, false) : x, sum);
    return epilogue ? epilogue->run(y, {}, true, false) : y;
  }
};

struct ClampStep : ForwardStep {
  Limits limits;
  Tensor run(Tensor x, Tensor, bool in_place, bool) override {
    return in_place ? x.clamp_(limits.low, limits.high) : x.clamp(limits.low, limits.high);
  }
};

/// x + other
struct AddStep : ForwardStep {
  Tensor run(Tensor x, Tensor other, bool in_place, bool) override { return in_place ? x.add_(other) : x.add(other); }
};

/// Mean over height and width: (N, C, 1, 1)
struct AverageStep : ForwardStep {
  Tensor run(Tensor x, Tensor, bool, bool) override { return channels_last(x.mean({2, 3}, true)); }
};

/// w · mean of x over height and width + b + sum: (N, 1) float32, because rounded sums would shift lengths by half a per cent
struct ProjectionStep : ForwardStep {
  Tensor weight;
  double bias = 0;
  Tensor run(Tensor x, Tensor sum, bool, bool) override {
    const Tensor mean = x.dim() == 4 ? x.mean({2, 3}, false, at::kFloat) : x.to(at::kFloat);
    TORCH_CHECK(mean.dim() == 2 && mean.size(1) == weight.numel(), "Expected ", weight.numel(),
                " channels but got values of ", x.sizes());
    Tensor y = mean.matmul(weight.view({-1, 1})).add_(bias);
    return sum.defined() ? y.add_(sum) : y;
  }
};

/// Rows of x and other side by side, in float32
struct JoinStep : ForwardStep {
  Tensor run(Tensor x, Tensor other, bool, bool) override {
    return at::cat({x.flatten(1).to(at::kFloat), other.flatten(1).to(at::kFloat)}, 1);
  }
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

AffineStep affine_step(Tensor scale, Tensor offset, Tensor slope) {
  TORCH_CHECK(scale.numel() == offset.numel() && (!slope.defined() || slope.numel() == scale.numel()),
              "Expected as many scales as offsets and slopes, one per channel");
  AffineStep step;
  step.scale = std::move(scale);
  step.offset = std::move(offset);
  step.slope = std::move(slope);
  return step;
}

AffineStep affine_of(const Napi::Object& from) {
  return affine_step(floats(from, "scale"), floats(from, "offset"), floats(from, "slope"));
}

std::unique_ptr<ForwardStep> layer_of(const Napi::Object& from) {
  const std::string kind = from.Get("kind").ToString();
  const auto weight = [&] { return floats(from, "weight").view(numbers<int64_t>(from, "shape")); };
  if (kind == "convolution") {
    const Geometry geometry{{pair(from, "strides"), pair(from, "pads"), pair(from, "dilations"), from.Get("groups").ToNumber()},
                            pair(from, "pads", 2)};
    const Tensor kernels = weight();
    auto step = std::make_unique<ConvolutionStep>(kernels, floats(from, "bias"), geometry, limits_of(from));
    const Tensor slope = floats(from, "slope");
    if (slope.defined()) step->epilogue = affine_step(at::ones_like(slope), at::zeros_like(slope), slope);
    if (from.Get("prologue").IsObject()) step->prologue = affine_of(from.Get("prologue").As<Napi::Object>());
    TORCH_CHECK(!step->epilogue || step->epilogue->scale.numel() == kernels.size(0), "Expected one slope per output channel");
    TORCH_CHECK(!step->prologue || step->prologue->scale.numel() == kernels.size(1) * geometry.groups,
                "Expected one scale and one offset per input channel");
    return step;
  }
  if (kind == "linear") return std::make_unique<LinearStep>(weight(), floats(from, "bias"));
  if (kind == "affine") return std::make_unique<AffineStep>(affine_of(from));
  if (kind == "clamp") {
    auto step = std::make_unique<ClampStep>();
    step->limits = limits_of(from);
    return step;
  }
  if (kind == "add") return std::make_unique<AddStep>();
  if (kind == "join") return std::make_unique<JoinStep>();
  if (kind == "projection") {
    auto step = std::make_unique<ProjectionStep>();
    step->weight = floats(from, "weight");
    step->bias = from.Get("bias").ToNumber().DoubleValue();
    return step;
  }
  TORCH_CHECK(kind == "average", "Expected a known kind of step but received ", kind);
  return std::make_unique<AverageStep>();
}

}  // namespace

std::unique_ptr<ForwardStep> forward_step(const Napi::Object& from) {
  auto step = layer_of(from);
  step->reads = names(from, "reads");
  step->frees = names(from, "frees");
  step->writes = from.Get("writes").ToString();
  return step;
}

}  // namespace magface
