#include "packed_layers.h"

#include <ATen/ATen.h>

#include <map>

#include "channel_kernels.h"
#include "winograd.h"

#ifdef MAGFACE_ONEDNN
#include "onednn.h"
#endif

namespace magface {

at::ScalarType packed_type() { return multiplies_bfloat16() ? at::kBFloat16 : at::kFloat; }

std::vector<int64_t> Geometry::result_sizes(at::IntArrayRef x, at::IntArrayRef weight) const {
  std::vector<int64_t> sizes{x[0], weight[0], 0, 0};
  for (int i = 0; i < 2; ++i) {
    const int64_t reach = dilation[i] * (weight[2 + i] - 1) + 1;
    sizes[2 + i] = (x[2 + i] + padding[i] + after[i] - reach) / stride[i] + 1;
  }
  return sizes;
}

namespace {

void expect_sizes(const char* what, const at::Tensor& x, at::IntArrayRef sizes) {
  TORCH_CHECK(x.sizes() == sizes, "Expected ", what, " of ", sizes, " but got ", x.sizes());
}

}  // namespace

#ifdef MAGFACE_ONEDNN
namespace {

using dnnl::memory;
using onednn::described;
using onednn::Dims;
using onednn::engine;
using onednn::f32;
using onednn::Prepared;
using onednn::view;

memory::data_type narrow() { return packed_type() == at::kFloat ? f32 : memory::data_type::bf16; }

/// Weights as each of a layer's primitives wants them: most sizes of batch want them alike.
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

/// y = W * x + b, or W x + b, by a layer's primitive.
template <typename Forward>
void apply(const Forward& forward, const at::Tensor& x, PackedWeights& weights, const at::Tensor& bias, const at::Tensor& y) {
  const auto& [desc, primitive] = forward;
  onednn::run(primitive, {{DNNL_ARG_SRC, view(desc.src_desc(), x)},
                          {DNNL_ARG_WEIGHTS, weights.as(desc.weights_desc())},
                          {DNNL_ARG_BIAS, view(desc.bias_desc(), bias)},
                          {DNNL_ARG_DST, view(desc.dst_desc(), y)}});
}

}  // namespace

struct PackedConvolution::Parts {
  using Forward = Prepared<dnnl::convolution_forward>;

  Parts(const at::Tensor& weight, at::Tensor given_bias, const Geometry& g, const Limits& limited)
      : bias(std::move(given_bias)), geometry(g), limits(limited), weights(weight, dims_of(weight, g), tag_of(g)) {}

  static Dims dims_of(const at::Tensor& w, const Geometry& g) {
    if (g.groups == 1) return w.sizes().vec();
    return {g.groups, w.size(0) / g.groups, w.size(1), w.size(2), w.size(3)};
  }
  static memory::format_tag tag_of(const Geometry& g) {
    return g.groups == 1 ? memory::format_tag::oihw : memory::format_tag::goihw;
  }

  Forward& prepared(const at::Tensor& x, const std::vector<int64_t>& out, bool sums) {
    const std::array<int64_t, 4> key{x.size(0), x.size(2), x.size(3), sums};
    const auto found = forwards.find(key);
    if (found != forwards.end()) return *found->second;
    const auto nhwc = memory::format_tag::nhwc;
    const Dims stride(geometry.stride.begin(), geometry.stride.end());
    const Dims before(geometry.padding.begin(), geometry.padding.end()), after(geometry.after.begin(), geometry.after.end());
    const Dims dilation{geometry.dilation[0] - 1, geometry.dilation[1] - 1};
    dnnl::post_ops then;
    if (sums) then.append_sum(1);
    if (limits.any()) {
      const bool is_relu = limits.low == 0 && !std::isfinite(limits.high);
      if (is_relu) then.append_eltwise(1, dnnl::algorithm::eltwise_relu, 0, 0);
      else then.append_eltwise(1, dnnl::algorithm::eltwise_clip, limits.low, limits.high);
    }
    dnnl::primitive_attr attributes;
    attributes.set_post_ops(then);
    const dnnl::convolution_forward::desc desc(
        dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct,
        described(x.sizes().vec(), narrow(), nhwc), described(weights.dims(), narrow(), memory::format_tag::any),
        described({bias.size(0)}, f32, memory::format_tag::a), described(out, narrow(), nhwc), stride, dilation, before, after);
    auto made = std::make_unique<Forward>(dnnl::convolution_forward::primitive_desc(desc, attributes, engine()));
    return *forwards.emplace(key, std::move(made)).first->second;
  }

  at::Tensor bias;
  Geometry geometry;
  Limits limits;
  PackedWeights weights;
  std::map<std::array<int64_t, 4>, std::unique_ptr<Forward>> forwards;
};

at::Tensor PackedConvolution::run(const at::Tensor& x, at::Tensor sum) {
  expect(x, sum);
  Parts& p = *parts_;
  const auto sizes = geometry_.result_sizes(x.sizes(), weight_sizes_);
  at::Tensor y = sum.defined() ? sum : at::empty(sizes, x.options(), at::MemoryFormat::ChannelsLast);
  apply(p.prepared(x, sizes, sum.defined()), x, p.weights, p.bias, y);
  return y;
}

struct PackedLinear::Parts {
  using Forward = Prepared<dnnl::inner_product_forward>;

  Parts(const at::Tensor& weight, at::Tensor given_bias)
      : bias(std::move(given_bias)), weights(weight, weight.sizes().vec(), memory::format_tag::ab) {}

  Forward& prepared(int64_t rows) {
    const auto found = forwards.find(rows);
    if (found != forwards.end()) return *found->second;
    const auto ab = memory::format_tag::ab;
    const Dims& w = weights.dims();
    const dnnl::inner_product_forward::desc desc(
        dnnl::prop_kind::forward_inference, described({rows, w[1]}, narrow(), ab),
        described(w, narrow(), memory::format_tag::any), described({w[0]}, f32, memory::format_tag::a),
        described({rows, w[0]}, f32, ab));
    auto made = std::make_unique<Forward>(dnnl::inner_product_forward::primitive_desc(desc, engine()));
    return *forwards.emplace(rows, std::move(made)).first->second;
  }

  at::Tensor bias;
  PackedWeights weights;
  std::map<int64_t, std::unique_ptr<Forward>> forwards;
};

at::Tensor PackedLinear::run(const at::Tensor& x) {
  expect_sizes("rows of features", x, {x.size(0), features_});
  Parts& p = *parts_;
  at::Tensor y = at::empty({x.size(0), p.bias.size(0)}, p.bias.options());
  apply(p.prepared(x.size(0)), x, p.weights, p.bias, y);
  return y;
}

const char* packed_by() {
  static const std::string text = [] {
    const dnnl_version_t* v = dnnl_version();
    return "oneDNN " + std::to_string(v->major) + "." + std::to_string(v->minor) + "." + std::to_string(v->patch);
  }();
  return text.c_str();
}

#else

struct PackedConvolution::Parts {
  Parts(const at::Tensor& w, const at::Tensor& b, const Geometry& g, const Limits& limited)
      : weight(w.to(packed_type()).contiguous(at::MemoryFormat::ChannelsLast)),
        bias(b.to(packed_type())),
        geometry(g),
        limits(limited) {}

  at::Tensor weight, bias;
  Geometry geometry;
  Limits limits;
};

at::Tensor PackedConvolution::run(const at::Tensor& x, at::Tensor sum) {
  expect(x, sum);
  const Parts& p = *parts_;
  const Geometry& g = p.geometry;
  const bool even = g.padding == g.after;
  const at::Tensor input =
      even ? x : at::constant_pad_nd(x, {g.padding[1], g.after[1], g.padding[0], g.after[0]});
  const auto padding = even ? g.padding : std::array<int64_t, 2>{0, 0};
  at::Tensor y = at::conv2d(input, p.weight, p.bias, g.stride, padding, g.dilation, g.groups);
  if (sum.defined()) y.add_(sum);
  if (p.limits.any()) y.clamp_(p.limits.low, p.limits.high);
  return y;
}

struct PackedLinear::Parts {
  Parts(const at::Tensor& w, const at::Tensor& b) : weight(w.to(packed_type())), bias(b) {}
  at::Tensor weight, bias;
};

at::Tensor PackedLinear::run(const at::Tensor& x) {
  expect_sizes("rows of features", x, {x.size(0), features_});
  return at::linear(x, parts_->weight).to(at::kFloat).add_(parts_->bias);
}

const char* packed_by() { return "libtorch"; }

#endif

/// The layer by tiles, whatever it is packed for otherwise.
struct PackedConvolution::Tiles {
  at::Tensor weight, bias;
  Geometry geometry;
  Limits limits;
  at::Tensor kept;

  bool take(const at::Tensor& x) const {
    return packed_type() == at::kFloat && geometry.padding == geometry.after &&
           winograd::wins(x.sizes(), weight.sizes(), geometry);
  }

  /// They are four times as large as the kernels were: they are kept only where making them is much of the work.
  at::Tensor transformed(const at::Tensor& x) {
    constexpr int64_t few_faces = 8;
    if (kept.defined()) return kept;
    const at::Tensor u = winograd::transformed(weight, geometry, false);
    if (x.size(0) < few_faces) kept = u;
    return u;
  }

  at::Tensor run(const Lines& lines, const at::Tensor& x, const at::Tensor& sum) {
    const auto data = [](const at::Tensor& t) { return t.defined() ? t.data_ptr<float>() : nullptr; };
    const winograd::Entry entry{data(lines.scale), data(lines.offset)};
    const winograd::Finish finish{data(bias), data(sum), data(lines.slope), limits.low, limits.high};
    return winograd::forward(x, transformed(x), bias.size(0), geometry, entry, finish, sum);
  }
};

PackedConvolution::PackedConvolution(at::Tensor weight, at::Tensor bias, const Geometry& geometry, const Limits& limits)
    : weight_sizes_(weight.sizes().vec()),
      geometry_(geometry),
      parts_(std::make_unique<Parts>(weight, bias, geometry, limits)),
      tiles_(new Tiles{packed_type() == at::kFloat ? weight : at::Tensor(), bias, geometry, limits, {}}) {
  expect_sizes("a bias", bias, {weight.size(0)});
}
PackedConvolution::~PackedConvolution() = default;

void PackedConvolution::expect(const at::Tensor& x, const at::Tensor& sum) const {
  TORCH_CHECK(x.dim() == 4, "Expected images (N, C, H, W) but got a tensor of ", x.sizes());
  expect_sizes("images", x, {x.size(0), weight_sizes_[1] * geometry_.groups, x.size(2), x.size(3)});
  const auto sizes = geometry_.result_sizes(x.sizes(), weight_sizes_);
  TORCH_CHECK(sizes[2] > 0 && sizes[3] > 0, "Expected images no smaller than the kernel but got ", x.sizes());
  if (sum.defined()) expect_sizes("what is added", sum, sizes);
}

bool PackedConvolution::takes_lines(const at::Tensor& x) const { return x.dim() == 4 && tiles_->take(x); }

at::Tensor PackedConvolution::run(const Lines& lines, const at::Tensor& x, const at::Tensor& sum) {
  expect(x, sum);
  return tiles_->run(lines, x, sum);
}

PackedLinear::PackedLinear(at::Tensor weight, at::Tensor bias)
    : features_(weight.size(1)), parts_(std::make_unique<Parts>(weight, bias)) {
  expect_sizes("a bias", bias, {weight.size(0)});
}
PackedLinear::~PackedLinear() = default;

}  // namespace magface
