#include "bfloat16_by_float32.h"

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "channel_kernels.h"
#include "compat.h"
#include "convolution.h"

namespace magface {
namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;
using OptionalTensor = c10::optional<Tensor>;

Tensor rounded(const Tensor& x) { return x.to(at::kBFloat16); }
Tensor wide(const Tensor& x) { return x.to(at::kFloat); }

/// y = W * x + b. Keeps x and W for its gradients in bfloat16, as libtorch's does.
struct Convolution : torch::autograd::Function<Convolution> {
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& weight, const OptionalTensor& bias,
                        const ConvolutionShape& shape) {
    context->save_for_backward({x, weight});
    shape.keep(*context);
    context->saved_data["bias"] = bias.has_value();
    const Tensor a = wide(x), w = wide(weight), b = bias ? wide(*bias) : Tensor();
    return rounded(forward_by(fastest_way(a, w, b, shape), a, w, b, shape).y);
  }

  static variable_list backward(AutogradContext* context, const variable_list& dy) {
    const variable_list saved = context->get_saved_variables();
    const ConvolutionShape shape = ConvolutionShape::kept(*context);
    const Tensor d = wide(dy[0]), x = wide(saved[0]), w = wide(saved[1]);
    const std::array<bool, 3> wanted{context->needs_input_grad(0), context->needs_input_grad(1),
                                     context->saved_data["bias"].toBool() && context->needs_input_grad(2)};
    const auto [dx, dw, db] =
        backward_by(fastest_way(x, w, Tensor(), shape), d, x, x.sizes(), w, shape, wanted);
    const auto narrow = [](const Tensor& g) { return g.defined() ? rounded(g) : g; };
    return {narrow(dx), narrow(dw), narrow(db), Tensor()};
  }
};

Tensor conv2d(const Tensor& x, const Tensor& weight, const OptionalTensor& bias, at::IntArrayRef stride,
              at::IntArrayRef padding, at::IntArrayRef dilation, int64_t groups) {
  const c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::DispatchKey::AutocastCPU);
  const OptionalTensor b = bias && bias->defined() ? OptionalTensor(rounded(*bias)) : c10::nullopt;
  return Convolution::apply(rounded(x), rounded(weight), b, ConvolutionShape(stride, padding, dilation, groups));
}

/// Of float32 that holds bfloat16's values; its gradient is rounded by the casts.
Tensor as_rounded(const Tensor& x) { return wide(rounded(x)); }

Tensor linear(const Tensor& x, const Tensor& weight, const OptionalTensor& bias) {
  const c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::DispatchKey::AutocastCPU);
  const OptionalTensor b = bias && bias->defined() ? OptionalTensor(as_rounded(*bias)) : c10::nullopt;
  return rounded(at::linear(as_rounded(x), as_rounded(weight), b));
}

Tensor matmul(const Tensor& a, const Tensor& b) {
  const c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::DispatchKey::AutocastCPU);
  return rounded(at::matmul(as_rounded(a), as_rounded(b)));
}

Tensor mm(const Tensor& a, const Tensor& b) {  // what a product's gradients are made of, where autocast is on for them
  const c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::DispatchKey::AutocastCPU);
  return rounded(at::mm(as_rounded(a), as_rounded(b)));
}

}  // namespace

void have_bfloat16() {
  if (onednn_takes_bfloat16()) return;
  static const torch::Library kernels = [] {
    const NoWarnings quiet;  // libtorch warns that its own kernels are replaced, which is what is wanted
    torch::Library ours(torch::Library::IMPL, "aten", c10::DispatchKey::AutocastCPU, __FILE__, __LINE__);
    ours.impl("conv2d", TORCH_FN(conv2d));
    ours.impl("linear", TORCH_FN(linear));
    ours.impl("matmul", TORCH_FN(matmul));
    ours.impl("mm", TORCH_FN(mm));
    return ours;
  }();
}

}  // namespace magface
