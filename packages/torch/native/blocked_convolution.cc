#include "blocked_convolution.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <map>
#include <mutex>
#include <optional>
#include <string_view>

#include "channel_kernels.h"
#include "compat.h"
#include "errors.h"
#include "handle.h"

#ifdef MAGFACE_ONEDNN
#include "onednn.h"
#endif

namespace magface {

using at::Tensor;

namespace {

std::array<int64_t, 2> pair(at::IntArrayRef list) { return {list[0], list[list.size() - 1]}; }

}  // namespace

ConvolutionShape::ConvolutionShape(at::IntArrayRef stride, at::IntArrayRef padding, at::IntArrayRef dilation, int64_t groups)
    : stride(pair(stride)), padding(pair(padding)), dilation(pair(dilation)), groups(groups) {}

void ConvolutionShape::keep(torch::autograd::AutogradContext& context) const {
  context.saved_data["stride"] = at::IntArrayRef(stride);
  context.saved_data["padding"] = at::IntArrayRef(padding);
  context.saved_data["dilation"] = at::IntArrayRef(dilation);
  context.saved_data["groups"] = groups;
}

ConvolutionShape ConvolutionShape::kept(torch::autograd::AutogradContext& context) {
  auto& data = context.saved_data;
  return {data["stride"].toIntVector(), data["padding"].toIntVector(), data["dilation"].toIntVector(),
          data["groups"].toInt()};
}

#ifdef MAGFACE_ONEDNN
namespace {

using dnnl::convolution_backward_data;
using dnnl::convolution_backward_weights;
using dnnl::convolution_forward;
using onednn::Dims;
using onednn::described;
using onednn::f32;
using onednn::Prepared;
using onednn::view;
using Tag = dnnl::memory::format_tag;

constexpr auto direct = dnnl::algorithm::convolution_direct;

/// A convolution's three primitives for one size of x, in the orders of memory that oneDNN prefers.
class Blocked {
 public:
  Blocked(at::IntArrayRef x_sizes, const Tensor& weight, bool has_bias, const ConvolutionShape& s)
      : x_(x_sizes.vec()), w_(weight.sizes().vec()), y_{x_[0], w_[0], 0, 0}, stride_(s.stride.begin(), s.stride.end()),
        padding_(s.padding.begin(), s.padding.end()), dilation_{s.dilation[0] - 1, s.dilation[1] - 1} {
    for (int i = 2; i < 4; ++i)
      y_[i] = (x_[i] + 2 * padding_[i - 2] - s.dilation[i - 2] * (w_[i] - 1) - 1) / stride_[i - 2] + 1;
    bias_ = has_bias ? described({y_[1]}, f32, Tag::a) : dnnl::memory::desc();
    const auto any = [](const Dims& dims) { return described(dims, f32, Tag::any); };
    attributes_.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    forward_.emplace(convolution_forward::primitive_desc(
        {dnnl::prop_kind::forward_training, direct, any(x_), any(w_), bias_, any(y_), stride_, dilation_, padding_,
         padding_},
        attributes_, onednn::engine()));
    of_source_.emplace(convolution_backward_data::primitive_desc(
        {direct, any(x_), any(w_), any(y_), stride_, dilation_, padding_, padding_}, attributes_, onednn::engine(),
        forward_->desc));
    of_weights_.emplace(convolution_backward_weights::primitive_desc(
        {direct, any(x_), any(w_), bias_, any(y_), stride_, dilation_, padding_, padding_}, attributes_,
        onednn::engine(), forward_->desc));
  }

  BlockedForward forward(const Tensor& x, const Tensor& weight, const Tensor& bias) const {
    const auto& [desc, primitive] = *forward_;
    const Tensor source = reordered(x, plain(x_), desc.src_desc());
    const Tensor w = reordered(weight, plain_weights(), desc.weights_desc());
    const Tensor y = memory_of(desc.dst_desc(), y_);
    run(desc, primitive, {{DNNL_ARG_SRC, view(desc.src_desc(), source)},
                          {DNNL_ARG_WEIGHTS, view(desc.weights_desc(), w)},
                          {DNNL_ARG_BIAS, bias.defined() ? view(bias_, bias) : dnnl::memory()},
                          {DNNL_ARG_DST, view(desc.dst_desc(), y)}});
    return {channels_last(y, desc.dst_desc(), y_), source};
  }

  std::array<Tensor, 3> backward(const Tensor& dy, const Tensor& source, const Tensor& weight,
                                 std::array<bool, 3> wanted) const {
    std::array<Tensor, 3> gradients;
    dnnl::memory::desc have = plain(y_);
    Tensor d = dy;  // reordered for one primitive, and again only if the other wants another order
    const auto dy_as = [&](const dnnl::memory::desc& wants) {
      d = reordered(d, have, wants);
      have = wants;
      return view(wants, d);
    };
    if (wanted[0]) {
      const auto& [desc, primitive] = *of_source_;
      const Tensor w = reordered(weight, plain_weights(), desc.weights_desc());
      const Tensor dx = memory_of(desc.diff_src_desc(), x_);
      run(desc, primitive, {{DNNL_ARG_DIFF_DST, dy_as(desc.diff_dst_desc())},
                            {DNNL_ARG_WEIGHTS, view(desc.weights_desc(), w)},
                            {DNNL_ARG_DIFF_SRC, view(desc.diff_src_desc(), dx)}});
      gradients[0] = channels_last(dx, desc.diff_src_desc(), x_);
    }
    if (wanted[1] || wanted[2]) {
      const auto& [desc, primitive] = *of_weights_;
      const bool is_plain = source.dim() == 4;
      const Tensor x = is_plain ? reordered(source.contiguous(at::MemoryFormat::ChannelsLast), plain(x_), desc.src_desc())
                                : reordered(source, forward_->desc.src_desc(), desc.src_desc());
      const Tensor dw = buffer(desc.diff_weights_desc());
      if (!bias_.is_zero()) gradients[2] = at::empty({y_[1]}, at::kFloat);
      run(desc, primitive, {{DNNL_ARG_DIFF_DST, dy_as(desc.diff_dst_desc())},
                            {DNNL_ARG_SRC, view(desc.src_desc(), x)},
                            {DNNL_ARG_DIFF_WEIGHTS, view(desc.diff_weights_desc(), dw)},
                            {DNNL_ARG_DIFF_BIAS, gradients[2].defined() ? view(bias_, gradients[2]) : dnnl::memory()}});
      gradients[1] = reordered(dw, desc.diff_weights_desc(), plain_weights()).view(weight.sizes());
    }
    return gradients;
  }

 private:
  static dnnl::memory::desc plain(const Dims& dims) { return described(dims, f32, Tag::nhwc); }
  dnnl::memory::desc plain_weights() const { return described(w_, f32, Tag::oihw); }

  static Tensor buffer(const dnnl::memory::desc& desc) {
    return at::empty({static_cast<int64_t>(desc.get_size() / sizeof(float))}, at::kFloat);
  }
  /// For a result: a tensor of these sizes already where the channels come last, else memory to be reordered.
  static Tensor memory_of(const dnnl::memory::desc& desc, const Dims& sizes) {
    return desc == plain(sizes) ? at::empty(sizes, at::kFloat, at::MemoryFormat::ChannelsLast) : buffer(desc);
  }
  static void reorder(const Tensor& from, const dnnl::memory::desc& is, const Tensor& to, const dnnl::memory::desc& wanted) {
    onednn::reorder(view(is, from), view(wanted, to));
  }
  static Tensor reordered(const Tensor& from, const dnnl::memory::desc& is, const dnnl::memory::desc& wanted) {
    if (is == wanted) return from;
    const Tensor to = buffer(wanted);
    reorder(from, is, to, wanted);
    return to;
  }
  static Tensor channels_last(const Tensor& from, const dnnl::memory::desc& is, const Dims& sizes) {
    if (is == plain(sizes)) return from;
    const Tensor to = at::empty(sizes, at::kFloat, at::MemoryFormat::ChannelsLast);
    reorder(from, is, to, plain(sizes));
    return to;
  }

  template <typename Desc, typename Primitive>
  static void run(const Desc& desc, const Primitive& primitive, std::unordered_map<int, dnnl::memory> arguments) {
    const Tensor scratch = buffer(desc.scratchpad_desc());
    arguments.emplace(DNNL_ARG_SCRATCHPAD, view(desc.scratchpad_desc(), scratch));
    onednn::run(primitive, arguments);
  }

  Dims x_, w_, y_, stride_, padding_, dilation_;
  dnnl::memory::desc bias_;
  dnnl::primitive_attr attributes_;
  std::optional<Prepared<convolution_forward>> forward_;
  std::optional<Prepared<convolution_backward_data>> of_source_;
  std::optional<Prepared<convolution_backward_weights>> of_weights_;
};

std::shared_ptr<const Blocked> blocked(at::IntArrayRef x, const Tensor& weight, bool has_bias, const ConvolutionShape& s) {
  static std::mutex mutex;
  static std::map<std::vector<int64_t>, std::shared_ptr<const Blocked>> made;
  std::vector<int64_t> key{int64_t(has_bias), int64_t(at::get_num_threads())};
  for (const at::IntArrayRef part : {x, weight.sizes(), at::IntArrayRef(s.stride), at::IntArrayRef(s.padding),
                                     at::IntArrayRef(s.dilation)})
    key.insert(key.end(), part.begin(), part.end());
  const std::lock_guard<std::mutex> lock(mutex);
  if (made.size() > 256) made.clear();  // sizes that never come again
  auto& one = made[key];
  if (one == nullptr) one = std::make_shared<const Blocked>(x, weight, has_bias, s);
  return one;
}

}  // namespace

bool blocks_win(const Tensor& x, const Tensor& weight, const Tensor& bias, const ConvolutionShape& s) {
  static const bool is_avx2 = std::string_view(kernels_name()) == "avx2";
  const auto is_float = [](const Tensor& t, int64_t dims) {
    return t.is_cpu() && t.layout() == at::kStrided && t.scalar_type() == at::kFloat && t.dim() == dims && t.numel() > 0;
  };
  if (!is_avx2 || s.groups != 1 || !is_float(x, 4) || !is_float(weight, 4) || x.size(1) != weight.size(1)) return false;
  if (bias.defined() && !(is_float(bias, 1) && bias.size(0) == weight.size(0))) return false;
  for (int i = 0; i < 2; ++i)
    if (s.stride[i] < 1 || s.dilation[i] < 1 || s.padding[i] < 0 ||
        x.size(2 + i) + 2 * s.padding[i] <= s.dilation[i] * (weight.size(2 + i) - 1))
      return false;
  return weight.size(2) * weight.size(3) > 1;
}

BlockedForward blocked_forward(const Tensor& x, const Tensor& weight, const Tensor& bias, const ConvolutionShape& shape) {
  const Tensor b = bias.defined() ? bias.contiguous() : bias;
  return blocked(x.sizes(), weight, b.defined(), shape)
      ->forward(x.contiguous(at::MemoryFormat::ChannelsLast), weight.contiguous(), b);
}

std::array<Tensor, 3> blocked_backward(const Tensor& dy, const Tensor& source, at::IntArrayRef x_sizes,
                                       const Tensor& weight, const ConvolutionShape& shape, std::array<bool, 3> wanted) {
  return blocked(x_sizes, weight, wanted[2], shape)
      ->backward(dy.contiguous(at::MemoryFormat::ChannelsLast), source, weight.contiguous(), wanted);
}

#else

bool blocks_win(const Tensor&, const Tensor&, const Tensor&, const ConvolutionShape&) { return false; }
BlockedForward blocked_forward(const Tensor&, const Tensor&, const Tensor&, const ConvolutionShape&) { return {}; }
std::array<Tensor, 3> blocked_backward(const Tensor&, const Tensor&, at::IntArrayRef, const Tensor&,
                                       const ConvolutionShape&, std::array<bool, 3>) {
  return {};
}

#endif

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// y = W * x + b. Keeps W and the blocked x for its gradients, not x itself.
struct BlockedConvolution : torch::autograd::Function<BlockedConvolution> {
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& weight, const c10::optional<Tensor>& bias,
                        const ConvolutionShape& shape) {
    const auto [y, source] = blocked_forward(x, weight, bias.value_or(Tensor()), shape);
    context->save_for_backward({source, weight});
    context->saved_data["bias"] = bias && bias->defined();
    context->saved_data["sizes"] = x.sizes();
    shape.keep(*context);
    return y;
  }

  static variable_list backward(AutogradContext* context, const variable_list& dy) {
    const variable_list saved = context->get_saved_variables();
    auto& kept = context->saved_data;
    const auto [dx, dw, db] = blocked_backward(
        dy[0], saved[0], kept["sizes"].toIntVector(), saved[1], ConvolutionShape::kept(*context),
        {context->needs_input_grad(0), context->needs_input_grad(1), kept["bias"].toBool()});
    return {dx, dw, db, Tensor()};
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
    if (!get_autocast(at::kCPU).enabled && blocks_win(x, weight, bias, s))
      return wrap(env, BlockedConvolution::apply(x, weight, c10::optional<Tensor>(bias), s));
    return wrap(env, at::conv2d(x, weight, bias, s.stride, s.padding, s.dilation, s.groups));
  });
}

}  // namespace

Napi::Object init_convolution(Napi::Env env, Napi::Object exports) {
  exports.Set("convolution", Napi::Function::New(env, convolution));
  return exports;
}

}  // namespace magface
