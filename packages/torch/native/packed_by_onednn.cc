#ifdef MAGFACE_ONEDNN
#include <ATen/ATen.h>

#include <map>

#include "onednn.h"
#include "packed_backends.h"

namespace magface {
namespace {

using dnnl::memory;
using onednn::described;
using onednn::Dims;
using onednn::engine;
using onednn::f32;
using onednn::Prepared;
using onednn::view;

memory::data_type narrow() { return packed_type() == at::kFloat ? f32 : memory::data_type::bf16; }

/// Weights in the layout that each of a layer's primitives needs. Most batch sizes share one layout.
class PackedWeights {
 public:
  PackedWeights(const at::Tensor& weight, const Dims& dims, memory::format_tag tag)
      : plain_(weight.to(packed_type()).contiguous()), desc_(described(dims, narrow(), tag)) {}

  const Dims dims() const { return desc_.dims(); }

  const memory& as(const memory::desc& wanted) {
    for (const memory& one : packed_)
      if (one.get_desc() == wanted) return one;
    memory packed(wanted, engine());
    onednn::reorder(view(desc_, plain_), packed);
    return packed_.emplace_back(std::move(packed));
  }

 private:
  at::Tensor plain_;
  memory::desc desc_;
  std::vector<memory> packed_;
};

/// y = W * x + b, or W x + b, by the layer's primitive.
template <typename Forward>
void apply(const Forward& forward, const at::Tensor& x, PackedWeights& weights, const at::Tensor& bias, const at::Tensor& y) {
  const auto& [desc, primitive] = forward;
  onednn::run(primitive, {{DNNL_ARG_SRC, view(desc.src_desc(), x)},
                          {DNNL_ARG_WEIGHTS, weights.as(desc.weights_desc())},
                          {DNNL_ARG_BIAS, view(desc.bias_desc(), bias)},
                          {DNNL_ARG_DST, view(desc.dst_desc(), y)}});
}

class Convolution : public ConvolutionBackend {
 public:
  Convolution(const at::Tensor& weight, const ConvolutionLayer& layer)
      : layer_(layer), weights_(weight, dims_of(layer), tag_of(layer)) {}

  void run(const at::Tensor& x, const at::Tensor& y, bool accumulate) override {
    apply(prepared(x, y.sizes().vec(), accumulate), x, weights_, layer_.bias, y);
  }

 private:
  using Forward = Prepared<dnnl::convolution_forward>;

  static Dims dims_of(const ConvolutionLayer& layer) {
    const auto& w = layer.kernels;
    const int64_t groups = layer.geometry.groups;
    return groups == 1 ? w : Dims{groups, w[0] / groups, w[1], w[2], w[3]};
  }
  static memory::format_tag tag_of(const ConvolutionLayer& layer) {
    return layer.geometry.groups == 1 ? memory::format_tag::oihw : memory::format_tag::goihw;
  }
  static Dims list(std::array<int64_t, 2> pair) { return {pair[0], pair[1]}; }

  dnnl::primitive_attr attributes(bool accumulate) const {
    const Limits& limits = layer_.limits;
    dnnl::post_ops then;
    if (accumulate) then.append_sum(1);
    if (limits.any()) {
      const bool is_relu = limits.low == 0 && !std::isfinite(limits.high);
      if (is_relu) then.append_eltwise(1, dnnl::algorithm::eltwise_relu, 0, 0);
      else then.append_eltwise(1, dnnl::algorithm::eltwise_clip, limits.low, limits.high);
    }
    dnnl::primitive_attr attributes;
    attributes.set_post_ops(then);
    return attributes;
  }

  Forward& prepared(const at::Tensor& x, const Dims& out, bool accumulate) {
    auto& forward = forwards_[{x.size(0), x.size(2), x.size(3), accumulate}];
    if (forward) return *forward;
    const auto nhwc = memory::format_tag::nhwc;
    const Geometry& g = layer_.geometry;
    const dnnl::convolution_forward::desc desc(
        dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct,
        described(x.sizes().vec(), narrow(), nhwc), described(weights_.dims(), narrow(), memory::format_tag::any),
        described({out[1]}, f32, memory::format_tag::a), described(out, narrow(), nhwc), list(g.stride),
        {g.dilation[0] - 1, g.dilation[1] - 1}, list(g.padding), list(g.padding_end));
    forward = std::make_unique<Forward>(dnnl::convolution_forward::primitive_desc(desc, attributes(accumulate), engine()));
    return *forward;
  }

  const ConvolutionLayer& layer_;
  PackedWeights weights_;
  std::map<std::array<int64_t, 4>, std::unique_ptr<Forward>> forwards_;
};

class Linear : public LinearBackend {
 public:
  Linear(const at::Tensor& weight, at::Tensor bias)
      : bias_(std::move(bias)), weights_(weight, weight.sizes().vec(), memory::format_tag::ab) {}

  at::Tensor run(const at::Tensor& x) override {
    at::Tensor y = at::empty({x.size(0), bias_.size(0)}, bias_.options());
    apply(prepared(x.size(0)), x, weights_, bias_, y);
    return y;
  }

 private:
  using Forward = Prepared<dnnl::inner_product_forward>;

  Forward& prepared(int64_t rows) {
    auto& forward = forwards_[rows];
    if (forward) return *forward;
    const auto ab = memory::format_tag::ab;
    const Dims& w = weights_.dims();
    const dnnl::inner_product_forward::desc desc(
        dnnl::prop_kind::forward_inference, described({rows, w[1]}, narrow(), ab),
        described(w, narrow(), memory::format_tag::any), described({w[0]}, f32, memory::format_tag::a),
        described({rows, w[0]}, f32, ab));
    forward = std::make_unique<Forward>(dnnl::inner_product_forward::primitive_desc(desc, engine()));
    return *forward;
  }

  at::Tensor bias_;
  PackedWeights weights_;
  std::map<int64_t, std::unique_ptr<Forward>> forwards_;
};

}  // namespace

std::unique_ptr<ConvolutionBackend> make_convolution(const at::Tensor& weight, const ConvolutionLayer& layer) {
  return std::make_unique<Convolution>(weight, layer);
}

std::unique_ptr<LinearBackend> make_linear(const at::Tensor& weight, const at::Tensor& bias) {
  return std::make_unique<Linear>(weight, bias);
}

const char* packed_by() {
  static const std::string text = [] {
    const dnnl_version_t* v = dnnl_version();
    return "oneDNN " + std::to_string(v->major) + "." + std::to_string(v->minor) + "." + std::to_string(v->patch);
  }();
  return text.c_str();
}

}  // namespace magface
#endif
