// BatchNorm fused with PReLU and a residual sum, forward and backward, in two passes over memory each:
//     y = PReLU(w · x̂ + b) + r,   x̂ = (x − μ) / √(σ² + ε);   PReLU and the residual r are optional
//     d = dy · PReLU'(w · x̂ + b);   dx = w / √(σ² + ε) · (d − Σd / n − x̂ · Σ(d · x̂) / n)
//     dw = Σ(d · x̂), db = Σd, dr = dy
// The first pass sums per channel, the second writes. Statistics are float32 and sums double, whatever the type of x.
// With a group, one all-reduce each way sums over all ranks, but dw, db and the gradient of the slope cover this rank's
// rows only.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include "channel_kernels.h"
#include "collective.h"
#include "errors.h"
#include "handle.h"

namespace magface {
namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

at::MemoryFormat channels_last(const Tensor& x) {
  return x.dim() == 4 ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous;
}

/// Calls body(first row, rows, part) on one part per thread. The split is fixed, so the sums are reproducible.
template <typename Body>
void for_parts(int64_t rows, Body body) {
  const int64_t parts = at::get_num_threads();
  at::parallel_for(0, parts, 1, [&](int64_t begin, int64_t end) {
    for (int64_t part = begin; part < end; ++part) {
      const int64_t first = rows * part / parts;
      body(first, rows * (part + 1) / parts - first, part);
    }
  });
}

/// Sums over all rows: body(first row, rows, sums) adds to `count` doubles.
template <typename Body>
std::vector<double> summed(int64_t rows, int64_t count, Body body) {
  std::vector<std::vector<double>> partial(at::get_num_threads(), std::vector<double>(count));
  for_parts(rows, [&](int64_t first, int64_t part_rows, int64_t part) {
    body(first, part_rows, partial[part].data());
  });
  for (size_t part = 1; part < partial.size(); ++part)
    for (int64_t i = 0; i < count; ++i) partial[0][i] += partial[part][i];
  return std::move(partial[0]);
}

/// Calls body(kernels, data) for the element type of x; data(t) is t's memory, or null if t is undefined.
template <typename Body>
void with_kernels(const Tensor& x, Body body) {
  const auto memory = [](const Tensor& t) { return t.defined() ? t.data_ptr() : nullptr; };
  if (x.scalar_type() == at::kFloat)
    body(float_kernels(), [&](const Tensor& t) { return static_cast<float*>(memory(t)); });
  else
    body(bfloat16_kernels(), [&](const Tensor& t) { return static_cast<uint16_t*>(memory(t)); });
}

struct Shape {
  int64_t rows, channels;
  explicit Shape(const Tensor& x) : rows(x.numel() / x.size(1)), channels(x.size(1)) {}
};

struct Statistics {
  Tensor mean, variance;  // (C) float32, without Bessel's correction
  double count;           // values per channel
};

/// Sums over the ranks of a group, in place. Without a group it does nothing.
void sum_over_ranks(Group* group, std::vector<double>& sums) {
  if (group == nullptr) return;
  finish(*group, start_all_reduce(*group, at::from_blob(sums.data(), {static_cast<int64_t>(sums.size())}, at::kDouble)));
}

/// μ and σ² of each channel, over all ranks.
Statistics statistics(const Tensor& x, Group* group) {
  const Shape shape(x);
  const int64_t c = shape.channels;
  // Sums of x minus its first row lose no digits if the mean is far from 0.
  const Tensor rows = x.dim() == 4 ? x.permute({0, 2, 3, 1}) : x;
  const Tensor shift = rows.reshape({shape.rows, c})[0].to(at::kFloat).contiguous();
  std::vector<double> sums;
  with_kernels(x, [&](const auto& kernels, auto data) {
    sums = summed(shape.rows, 2 * c, [&](int64_t first, int64_t count, double* into) {
      kernels.moments(data(x) + first * c, count, c, shift.data_ptr<float>(), into);
    });
  });
  std::vector<double> all(2 * c + 1);  // n · μ and n · (σ² + μ²) per channel, and n
  const double n = all[2 * c] = shape.rows;
  for (int64_t i = 0; i < c; ++i) {
    const double m = sums[i] / n, mean = shift.data_ptr<float>()[i] + m;
    all[i] = n * mean;
    all[c + i] = n * (std::max(sums[c + i] / n - m * m, 0.0) + mean * mean);
  }
  sum_over_ranks(group, all);
  const double total = all[2 * c];
  Tensor mean = at::empty({c}, shift.options()), variance = at::empty({c}, shift.options());
  for (int64_t i = 0; i < c; ++i) {
    const double m = all[i] / total;
    mean.data_ptr<float>()[i] = m;
    variance.data_ptr<float>()[i] = std::max(all[c + i] / total - m * m, 0.0);
  }
  return {mean, variance, total};
}

Affine affine_of(const Tensor& scale, const Tensor& offset, const Tensor& slope) {
  return {scale.data_ptr<float>(), offset.data_ptr<float>(), slope.defined() ? slope.data_ptr<float>() : nullptr};
}

struct FusedBatchNorm : torch::autograd::Function<FusedBatchNorm> {
  static Tensor forward(AutogradContext* context, const Tensor& given, const Tensor& weight, const Tensor& bias,
                        const c10::optional<Tensor>& given_slope, const c10::optional<Tensor>& given_residual,
                        const Tensor& running_mean, const Tensor& running_variance, bool training, double momentum,
                        double epsilon, int64_t group) {
    const Tensor slope = given_slope.value_or(Tensor()), residual = given_residual.value_or(Tensor());
    const Tensor x = given.contiguous(channels_last(given));
    const Shape shape(x);
    const auto [mean, variance, n] = training ? statistics(x, reinterpret_cast<Group*>(group))
                                              : Statistics{running_mean, running_variance, 0};
    if (training) {
      running_mean.mul_(1 - momentum).add_(mean, momentum);
      running_variance.mul_(1 - momentum).add_(variance, momentum * n / std::max(n - 1, 1.0));
    }
    const Tensor inverse = variance.add(epsilon).rsqrt();
    const Tensor scale = weight.mul(inverse), offset = bias.sub(mean.mul(scale));
    const Tensor r = residual.defined() ? residual.to(x.scalar_type()).contiguous(channels_last(x)) : residual;
    Tensor y = at::empty_like(x);
    with_kernels(x, [&](const auto& kernels, auto data) {
      const Affine affine = affine_of(scale, offset, slope);
      for_parts(shape.rows, [&](int64_t first, int64_t rows, int64_t) {
        const int64_t at = first * shape.channels;
        kernels.apply(data(x) + at, r.defined() ? data(r) + at : nullptr, data(y) + at, rows, shape.channels, affine);
      });
    });
    context->save_for_backward({x, weight, slope, training ? mean : mean.clone(), inverse, scale, offset});
    context->saved_data["training"] = training;
    context->saved_data["residual"] = residual.defined();
    context->saved_data["group"] = group;
    context->saved_data["count"] = n;
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const Tensor &x = saved[0], &slope = saved[2], &mean = saved[3], &inverse = saved[4], &scale = saved[5];
    const Tensor dy = gradients[0].to(x.scalar_type()).contiguous(channels_last(x));
    const Shape shape(x);
    const int64_t c = shape.channels;
    const Affine affine = affine_of(scale, saved[6], slope);
    const float* mu = mean.data_ptr<float>();
    Tensor dx = at::empty_like(x);
    Tensor dw = at::empty_like(mean), db = at::empty_like(mean);
    Tensor dslope = slope.defined() ? at::empty_like(slope) : Tensor();
    with_kernels(x, [&](const auto& kernels, auto data) {
      auto sums = summed(shape.rows, 3 * c, [&](int64_t first, int64_t rows, double* into) {
        kernels.gradient_sums(data(dy) + first * c, data(x) + first * c, rows, c, affine, mu, into);
      });
      for (int64_t i = 0; i < c; ++i) {
        db.data_ptr<float>()[i] = sums[i];
        dw.data_ptr<float>()[i] = sums[c + i] * inverse.data_ptr<float>()[i];
        if (dslope.defined()) dslope.data_ptr<float>()[i] = sums[2 * c + i];
      }
      std::vector<float> by_x(c), constant(c);
      if (context->saved_data["training"].toBool()) {  // else μ and σ² are constants without gradients
        sums.resize(2 * c);
        sum_over_ranks(reinterpret_cast<Group*>(context->saved_data["group"].toInt()), sums);
        const double n = context->saved_data["count"].toDouble();
        for (int64_t i = 0; i < c; ++i) {
          const double w = scale.data_ptr<float>()[i], r = inverse.data_ptr<float>()[i];
          by_x[i] = -w * r * r * sums[c + i] / n;
          constant[i] = -w * sums[i] / n;
        }
      }
      for_parts(shape.rows, [&](int64_t first, int64_t rows, int64_t) {
        kernels.gradient(data(dy) + first * c, data(x) + first * c, data(dx) + first * c, rows, c, affine, mu,
                         by_x.data(), constant.data());
      });
    });
    const Tensor none, dr = context->saved_data["residual"].toBool() ? gradients[0] : none;
    return {dx, dw, db, dslope, dr, none, none, none, none, none, none};
  }
};

/// Whether the kernels support x. Everything else, including GPU tensors, uses libtorch's operators.
bool fits(const Tensor& x) {
  const auto type = x.scalar_type();
  return x.is_cpu() && (type == at::kFloat || type == at::kBFloat16) && (x.dim() == 4 || x.dim() == 2) &&
         x.size(1) % 32 == 0 && x.numel() > 0;
}

/// fusedBatchNorm(x, weight, bias, slope | null, residual | null, runningMean, runningVariance, training, momentum,
///                epsilon, group | null)
Napi::Value fused_batch_norm(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const char* name = "fusedBatchNorm";
  const auto tensor = [&](int i) { return info[i].IsNumber() ? unwrap(info[i], name) : Tensor(); };
  const auto shapes = [&] {
    std::ostringstream text;
    text << tensor(0).sizes() << ", " << tensor(1).sizes();
    return text.str();
  };
  return guarded(env, name, shapes, [&] {
    const Tensor x = tensor(0), weight = tensor(1), bias = tensor(2), slope = tensor(3), residual = tensor(4);
    const Tensor mean = tensor(5), variance = tensor(6);
    const bool training = info[7].ToBoolean();
    const double momentum = info[8].ToNumber(), epsilon = info[9].ToNumber();
    Group* group = training && info[10].IsNumber() ? &group_of(info[10]) : nullptr;
    if (group != nullptr && group->size == 1) group = nullptr;
    if (fits(x)) {
      TORCH_CHECK(weight.numel() == x.size(1), "expected one weight per channel, ", x.size(1), ", but received ",
                  weight.numel());
      TORCH_CHECK(!residual.defined() || residual.sizes() == x.sizes(),
                  "expected a residual with the shape of x but received ", residual.sizes());
      return wrap(env, FusedBatchNorm::apply(x, weight, bias, c10::optional<Tensor>(slope),
                                             c10::optional<Tensor>(residual), mean, variance, training, momentum, epsilon,
                                             reinterpret_cast<int64_t>(group)));
    }
    Tensor y = group != nullptr
                   ? sync_batch_norm(*group, x, weight, bias, mean, variance, momentum, epsilon)
                   : at::batch_norm(x, weight, bias, mean, variance, training, momentum, epsilon, true);
    if (slope.defined()) y = at::prelu(y, slope.to(y.scalar_type()));
    return wrap(env, residual.defined() ? y.add(residual) : y);
  });
}

}  // namespace

Napi::Object init_fused(Napi::Env env, Napi::Object exports) {
  exports.Set("fusedBatchNorm", Napi::Function::New(env, fused_batch_norm));
  return exports;
}

}  // namespace magface
