// SGD with momentum and weight decay as PyTorch defines it (dampening 0, no Nesterov), in one pass over memory:
//     v = momentum * v + (g + weightDecay * p),   p = p - lr * v
#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/mul.h>

#include <cmath>

#include "errors.h"
#include "handle.h"

namespace magface {
namespace {

struct Rule {
  double lr, momentum, weight_decay, gradient_scale;
};

bool plain(const at::Tensor& tensor) {
  return tensor.is_cpu() && tensor.scalar_type() == at::kFloat && tensor.is_non_overlapping_and_dense();
}

void update_in_one_pass(const at::Tensor& p, const at::Tensor& g, const at::Tensor& v, const Rule& rule) {
  float* weight = p.data_ptr<float>();
  float* velocity = v.data_ptr<float>();
  const float* gradient = g.data_ptr<float>();
  const float lr = rule.lr, momentum = rule.momentum, decay = rule.weight_decay, scale = rule.gradient_scale;
  at::parallel_for(0, p.numel(), 32768, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      velocity[i] = momentum * velocity[i] + (gradient[i] * scale + decay * weight[i]);
      weight[i] -= lr * velocity[i];
    }
  });
}

/// sgdStep(parameters, velocities, lr, momentum, weightDecay, gradientScale): skips parameters without a gradient.
Napi::Value sgd_step(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return guarded(env, "sgdStep", [&] {
    at::AutoGradMode no_grad(false);
    const Napi::Array parameters = info[0].As<Napi::Array>();
    const Napi::Array velocities = info[1].As<Napi::Array>();
    const auto number = [&](int i) { return info[i].As<Napi::Number>().DoubleValue(); };
    const Rule rule{number(2), number(3), number(4), number(5)};
    for (uint32_t i = 0; i < parameters.Length(); ++i) {
      const at::Tensor& p = unwrap(parameters.Get(i), "sgdStep");
      const at::Tensor& v = unwrap(velocities.Get(i), "sgdStep");
      const at::Tensor g = p.grad();
      if (!g.defined()) continue;
      // One index serves all three only if they have the same strides, as channels-last weights do.
      if (plain(p) && plain(g) && plain(v) && p.strides() == g.strides() && p.strides() == v.strides())
        update_in_one_pass(p, g, v, rule);
      else {
        v.mul_(rule.momentum).add_(g, rule.gradient_scale).add_(p, rule.weight_decay);
        p.add_(v, -rule.lr);
      }
    }
    return env.Undefined();
  });
}

double square_sum(const at::Tensor& g) {
  if (!plain(g)) {
    const double norm = g.norm().item<double>();
    return norm * norm;
  }
  const float* values = g.data_ptr<float>();
  return at::parallel_reduce(
      0, g.numel(), 32768, 0.0,
      [&](int64_t begin, int64_t end, double sum) {
        double lanes[8] = {};  // with a single sum, each addition would wait for the one before
        for (; begin + 8 <= end; begin += 8)
          for (int64_t lane = 0; lane < 8; ++lane) lanes[lane] += static_cast<double>(values[begin + lane]) * values[begin + lane];
        for (; begin < end; ++begin) sum += static_cast<double>(values[begin]) * values[begin];
        for (const double lane : lanes) sum += lane;
        return sum;
      },
      [](double a, double b) { return a + b; });
}

/// gradientNorms(parameters): the L2 norm of each gradient, not finite if one of its values is not; 0 without a
/// gradient.
Napi::Value gradient_norms(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return guarded(env, "gradientNorms", [&] {
    const Napi::Array parameters = info[0].As<Napi::Array>();
    Napi::Float64Array norms = Napi::Float64Array::New(env, parameters.Length());
    for (uint32_t i = 0; i < parameters.Length(); ++i) {
      const at::Tensor g = unwrap(parameters.Get(i), "gradientNorms").grad();
      norms[i] = g.defined() ? std::sqrt(square_sum(g)) : 0.0;
    }
    return norms;
  });
}

}  // namespace

Napi::Object init_sgd(Napi::Env env, Napi::Object exports) {
  exports.Set("sgdStep", Napi::Function::New(env, sgd_step));
  exports.Set("gradientNorms", Napi::Function::New(env, gradient_norms));
  return exports;
}

}  // namespace magface
