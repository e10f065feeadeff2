#ifndef MAGFACE_ONEDNN
#include <ATen/ATen.h>

#include "packed_backends.h"

namespace magface {
namespace {

class Convolution : public ConvolutionBackend {
 public:
  Convolution(const at::Tensor& weight, const ConvolutionLayer& layer)
      : layer_(layer),
        weight_(weight.to(packed_type()).contiguous(at::MemoryFormat::ChannelsLast)),
        bias_(layer.bias.to(packed_type())) {}

  void run(const at::Tensor& x, const at::Tensor& y, bool accumulate) override {
    const Geometry& g = layer_.geometry;
    const Limits& limits = layer_.limits;
    const bool is_symmetric = g.padding == g.padding_end;
    const at::Tensor input =
        is_symmetric ? x : at::constant_pad_nd(x, {g.padding[1], g.padding_end[1], g.padding[0], g.padding_end[0]});
    const auto padding = is_symmetric ? g.padding : std::array<int64_t, 2>{0, 0};
    const at::Tensor product = at::conv2d(input, weight_, bias_, g.stride, padding, g.dilation, g.groups);
    if (accumulate) y.add_(product);
    else y.copy_(product);
    if (limits.any()) y.clamp_(limits.low, limits.high);
  }

 private:
  const ConvolutionLayer& layer_;
  at::Tensor weight_, bias_;
};

class Linear : public LinearBackend {
 public:
  Linear(const at::Tensor& weight, at::Tensor bias) : weight_(weight.to(packed_type())), bias_(std::move(bias)) {}

  at::Tensor run(const at::Tensor& x) override { return at::linear(x, weight_).to(at::kFloat).add_(bias_); }

 private:
  at::Tensor weight_, bias_;
};

}  // namespace

std::unique_ptr<ConvolutionBackend> make_convolution(const at::Tensor& weight, const ConvolutionLayer& layer) {
  return std::make_unique<Convolution>(weight, layer);
}

std::unique_ptr<LinearBackend> make_linear(const at::Tensor& weight, const at::Tensor& bias) {
  return std::make_unique<Linear>(weight, bias);
}

const char* packed_by() { return "libtorch"; }

}  // namespace magface
#endif
