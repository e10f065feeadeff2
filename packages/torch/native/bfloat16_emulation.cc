#include "bfloat16_emulation.h"

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

/// y = W * x + b. Saves x and W for backward in bfloat16, as libtorch does.
struct Convolution : torch::autograd::Function<Convolution> {
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& weight, const OptionalTensor& bias,
                        const ConvolutionShape& shape) {
    context->save_for_backward({x, weight});
    shape.save(*context);
    context->saved_data["bias"] = bias.has_value();
    const Tensor a = wide(x), w = wide(weight), b = bias ? wide(*bias) : Tensor();
    return rounded(forward_by(fastest_algorithm(a, w, b, shape), a, w, b, shape).y);
  }

  static variable_list backward(AutogradContext* context, const variable_list& dy) {
    const variable_list saved = context->get_saved_variables();
    const ConvolutionShape shape = ConvolutionShape::load(*context);
    const Tensor d = wide(dy[0]), x = wide(saved[0]), w = wide(saved[1]);
    const std::array<bool, 3> wanted{context->needs_input_grad(0), context->needs_input_grad(1),
                                     context->saved_data["bias"].toBool() && context->needs_input_grad(2)};
    const auto [dx, dw, db] =
        backward_by(fastest_algorithm(x, w, Tensor(), shape), d, x, x.sizes(), w, shape, wanted);
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

/// x rounded to bfloat16 and stored as float32. The casts round its gradient too.
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

Tensor mm(const Tensor& a, const Tensor& b) {  // backward of a matrix product, if autocast is on
  const c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::DispatchKey::AutocastCPU);
  return rounded(at::mm(as_rounded(a), as_rounded(b)));
}

}  // namespace

void enable_bfloat16_emulation() {
  if (onednn_has_bfloat16()) return;
  static const torch::Library kernels = [] {
    const NoWarnings quiet;  // libtorch warns that its kernels are replaced, which is intended
    torch::Library ours(torch::Library::IMPL, "aten", c10::DispatchKey::AutocastCPU, __FILE__, __LINE__);
    ours.impl("conv2d", TORCH_FN(conv2d));
    ours.impl("linear", TORCH_FN(linear));
    ours.impl("matmul", TORCH_FN(matmul));
    ours.impl("mm", TORCH_FN(mm));
    return ours;
  }();
}

}  // namespace magface
