// BatchNorm with statistics over all ranks, forward and backward, on any device:
//     y = w · x̂ + b,  x̂ = (x − μ) / √(σ² + ε),   μ and σ² over the batch of every rank
//     dx = w / √(σ² + ε) · (dy − Σdy / n − x̂ · Σ(dy · x̂) / n),   sums over every rank
// Each needs one all-reduce of two numbers per channel, in double precision, so that the number of ranks affects only
// rounding.
#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include "collective.h"

namespace magface {
namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct Statistics {
  Tensor mean, variance;  // (C) float32
  double count;           // values per channel, over all ranks
};

Statistics over_all_ranks(Group& group, const Tensor& x) {
  const int64_t channels = x.size(1);
  const double count = static_cast<double>(x.numel() / channels);
  auto [mean, variance] = at::batch_norm_update_stats(x, {}, {}, 0.0);
  const Tensor local_mean = mean.to(at::kDouble);
  const Tensor sums = at::cat({local_mean.mul(count), local_mean.square().add(variance.to(at::kDouble)).mul(count),
                               at::full({1}, count, local_mean.options())});
  finish(group, start_all_reduce(group, sums));
  const double total = sums[-1].item<double>();
  const Tensor all_mean = sums.narrow(0, 0, channels).div(total);
  const Tensor all_variance = sums.narrow(0, channels, channels).div(total).sub(all_mean.square()).clamp_min(0);
  return {all_mean.to(at::kFloat), all_variance.to(at::kFloat), total};
}

/// Reshapes (C) to (1, C, 1, 1), to broadcast over x.
Tensor along_channels(const Tensor& values, const Tensor& x) {
  std::vector<int64_t> shape(x.dim(), 1);
  shape[1] = values.size(0);
  return values.view(shape);
}

struct SyncBatchNorm : torch::autograd::Function<SyncBatchNorm> {
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& weight, const Tensor& bias,
                        const Tensor& running_mean, const Tensor& running_variance, int64_t group, double momentum,
                        double epsilon) {
    const Statistics all = over_all_ranks(*reinterpret_cast<Group*>(group), x);
    running_mean.mul_(1 - momentum).add_(all.mean, momentum);
    running_variance.mul_(1 - momentum).add_(all.variance, momentum * all.count / std::max(all.count - 1, 1.0));
    context->save_for_backward({x, weight, all.mean, all.variance});
    context->saved_data["group"] = group;
    context->saved_data["count"] = all.count;
    context->saved_data["epsilon"] = epsilon;
    return std::get<0>(at::native_batch_norm(x, weight, bias, all.mean, all.variance, false, 0.0, epsilon));
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    Group& group = *reinterpret_cast<Group*>(context->saved_data["group"].toInt());
    const double count = context->saved_data["count"].toDouble();
    const double epsilon = context->saved_data["epsilon"].toDouble();
    const auto saved = context->get_saved_variables();
    const Tensor &x = saved[0], &weight = saved[1], &mean = saved[2], &variance = saved[3];
    // The gradient for constant statistics, and this rank's sums, which are the gradients of weight and bias.
    auto [dx, d_weight, d_bias] = at::native_batch_norm_backward(
        gradients[0].contiguous(x.suggest_memory_format()), x, weight, mean, variance, {}, {}, false, epsilon,
        {true, true, true});
    const Tensor sums = at::stack({d_weight, d_bias}).to(at::kDouble);
    finish(group, start_all_reduce(group, sums));
    // The statistics depend on x too, which subtracts slope · x + shift.
    const Tensor inverse = variance.to(at::kDouble).add(epsilon).rsqrt();
    const Tensor scale = inverse.mul(weight).div(count);
    const Tensor slope = scale.mul(inverse).mul(sums[0]);
    const Tensor shift = scale.mul(sums[1]).sub(slope.mul(mean));
    const auto as_x = [&](const Tensor& one) { return along_channels(one.to(at::kFloat), x); };
    if (x.scalar_type() == at::kFloat) dx.addcmul_(x, as_x(slope), -1).sub_(as_x(shift));
    else dx = dx.sub(x.mul(as_x(slope)).add(as_x(shift))).to(x.scalar_type());  // in float32 until the end
    return {dx, d_weight, d_bias, {}, {}, {}, {}, {}};
  }
};

}  // namespace

Tensor sync_batch_norm(Group& group, const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& mean,
                       const Tensor& variance, double momentum, double epsilon) {
  return SyncBatchNorm::apply(x, weight, bias, mean, variance, reinterpret_cast<int64_t>(&group), momentum, epsilon);
}

}  // namespace magface
