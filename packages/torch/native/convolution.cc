#include "convolution.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <sstream>

#include "blocked_convolution.h"
#include "compat.h"
#include "errors.h"
#include "handle.h"
#include "winograd/winograd.h"

namespace magface {

using at::Tensor;

namespace {

std::array<int64_t, 2> pair(at::IntArrayRef list) { return {list[0], list[list.size() - 1]}; }

}  // namespace

ConvolutionShape::ConvolutionShape(at::IntArrayRef stride, at::IntArrayRef padding, at::IntArrayRef dilation, int64_t groups)
    : stride(pair(stride)), padding(pair(padding)), dilation(pair(dilation)), groups(groups) {}

std::array<int64_t, 2> ConvolutionShape::result_size(at::IntArrayRef x, at::IntArrayRef weight,
                                                     std::array<int64_t, 2> padding_end) const {
  const auto along = [&](int i) {
    const int64_t reach = dilation[i] * (weight[2 + i] - 1) + 1;
    return (x[2 + i] + padding[i] + padding_end[i] - reach) / stride[i] + 1;
  };
  return {along(0), along(1)};
}

void ConvolutionShape::save(torch::autograd::AutogradContext& context) const {
  context.saved_data["stride"] = at::IntArrayRef(stride);
  context.saved_data["padding"] = at::IntArrayRef(padding);
  context.saved_data["dilation"] = at::IntArrayRef(dilation);
  context.saved_data["groups"] = groups;
}

ConvolutionShape ConvolutionShape::load(torch::autograd::AutogradContext& context) {
  auto& data = context.saved_data;
  return {data["stride"].toIntVector(), data["padding"].toIntVector(), data["dilation"].toIntVector(),
          data["groups"].toInt()};
}

Algorithm fastest_algorithm(const Tensor& x, const Tensor& weight, const Tensor& bias, const ConvolutionShape& s) {
  const auto is_float = [](const Tensor& t, int64_t dims) {
    return t.is_cpu() && t.layout() == at::kStrided && t.scalar_type() == at::kFloat && t.dim() == dims && t.numel() > 0;
  };
  if (!is_float(x, 4) || !is_float(weight, 4) || x.size(1) != weight.size(1) * s.groups) return Algorithm::conv2d;
  if (bias.defined() && !(is_float(bias, 1) && bias.size(0) == weight.size(0))) return Algorithm::conv2d;
  for (int i = 0; i < 2; ++i)
    if (s.stride[i] < 1 || s.dilation[i] < 1 || s.padding[i] < 0 ||
        x.size(2 + i) + 2 * s.padding[i] <= s.dilation[i] * (weight.size(2 + i) - 1))
      return Algorithm::conv2d;
  if (winograd::is_faster(x.sizes(), weight.sizes(), s)) return Algorithm::winograd;
  return blocks_are_faster(weight.sizes(), s) ? Algorithm::blocks : Algorithm::conv2d;
}

ConvolutionForward forward_by(Algorithm algorithm, const Tensor& x, const Tensor& weight, const Tensor& bias,
                              const ConvolutionShape& s) {
  switch (algorithm) {
    case Algorithm::blocks: return blocked_forward(x, weight, bias, s);
    case Algorithm::winograd: {
      const Tensor b = bias.defined() ? bias.contiguous() : bias;
      const Tensor source = x.contiguous(at::MemoryFormat::ChannelsLast);
      const winograd::Epilogue epilogue{.bias = b.defined() ? b.data_ptr<float>() : nullptr};
      const winograd::Tiling tiling = winograd::default_tiling(s);
      const Tensor u = winograd::transform_kernels(weight, tiling, false);
      return {winograd::forward(source, u, weight.size(0), s, tiling, {}, epilogue), source};
    }
    default: return {at::conv2d(x, weight, bias, s.stride, s.padding, s.dilation, s.groups), x};
  }
}

std::array<Tensor, 3> backward_by(Algorithm algorithm, const Tensor& dy, const Tensor& source, at::IntArrayRef x_sizes,
                                  const Tensor& weight, const ConvolutionShape& s, std::array<bool, 3> wanted) {
  switch (algorithm) {
    case Algorithm::blocks: return blocked_backward(dy, source, x_sizes, weight, s, wanted);
    case Algorithm::winograd:
      return {wanted[0] ? winograd::backward_data(dy, x_sizes, weight, s) : Tensor(),
              wanted[1] ? winograd::backward_weights(dy, source, weight, s) : Tensor(),
              wanted[2] ? dy.sum(at::IntArrayRef{0, 2, 3}) : Tensor()};
    default: {
      const int64_t bias[] = {weight.size(0)};
      const auto [dx, dw, db] = at::convolution_backward(dy, source, weight, at::IntArrayRef(bias), s.stride, s.padding,
                                                         s.dilation, false, {0, 0}, s.groups, wanted);
      return {dx, dw, db};
    }
  }
}

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// y = W * x + b by one of our own algorithms. Saves W, and x in the form that the algorithm needs.
struct Convolution : torch::autograd::Function<Convolution> {
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& weight, const c10::optional<Tensor>& bias,
                        const ConvolutionShape& shape, int64_t algorithm) {
    const auto [y, source] = forward_by(static_cast<Algorithm>(algorithm), x, weight, bias.value_or(Tensor()), shape);
    context->save_for_backward({source, weight});
    auto& kept = context->saved_data;
    kept["bias"] = bias && bias->defined();
    kept["sizes"] = x.sizes();
    kept["algorithm"] = algorithm;
    shape.save(*context);
    return y;
  }

  static variable_list backward(AutogradContext* context, const variable_list& dy) {
    const variable_list saved = context->get_saved_variables();
    auto& kept = context->saved_data;
    const auto [dx, dw, db] =
        backward_by(static_cast<Algorithm>(kept["algorithm"].toInt()), dy[0], saved[0], kept["sizes"].toIntVector(),
                    saved[1], ConvolutionShape::load(*context),
                    {context->needs_input_grad(0), context->needs_input_grad(1), kept["bias"].toBool()});
    return {dx, dw, db, Tensor(), Tensor()};
  }
};

/// convolution(x, weight, bias | null, stride, padding, dilation, groups)
Napi::Value convolution(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const char* name = "convolution";
  const auto tensor = [&](int i) { return info[i].IsNumber() ? unwrap(info[i], name) : Tensor(); };
  const auto pair = [&](int i) {
    const auto both = info[i].As<Napi::Array>();
    const auto at = [&](uint32_t j) { return both.Get(j).As<Napi::Number>().Int64Value(); };
    return std::vector<int64_t>{at(0), at(1)};
  };
  const auto shapes = [&] {
    std::ostringstream text;
    text << tensor(0).sizes() << ", " << tensor(1).sizes();
    return text.str();
  };
  return guarded(env, name, shapes, [&] {
    const Tensor x = tensor(0), weight = tensor(1), bias = tensor(2);
    const ConvolutionShape s(pair(3), pair(4), pair(5), info[6].As<Napi::Number>().Int64Value());
    const Algorithm algorithm = get_autocast(at::kCPU).enabled ? Algorithm::conv2d : fastest_algorithm(x, weight, bias, s);
    if (algorithm != Algorithm::conv2d)
      return wrap(env, Convolution::apply(x, weight, c10::optional<Tensor>(bias), s, static_cast<int64_t>(algorithm)));
    return wrap(env, at::conv2d(x, weight, bias, s.stride, s.padding, s.dilation, s.groups));
  });
}

}  // namespace

Napi::Object init_convolution(Napi::Env env, Napi::Object exports) {
  exports.Set("convolution", Napi::Function::New(env, convolution));
  return exports;
}

}  // namespace magface
