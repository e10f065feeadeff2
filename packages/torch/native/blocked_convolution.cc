#include "blocked_convolution.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <map>
#include <mutex>
#include <optional>

#include "channel_kernels.h"

#ifdef MAGFACE_ONEDNN
#include "onednn.h"
#endif

namespace magface {

using at::Tensor;

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

/// The forward and both backward primitives of a convolution for one size of x, in oneDNN's preferred layouts.
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
    backward_data_.emplace(convolution_backward_data::primitive_desc(
        {direct, any(x_), any(w_), any(y_), stride_, dilation_, padding_, padding_}, attributes_, onednn::engine(),
        forward_->desc));
    backward_weights_.emplace(convolution_backward_weights::primitive_desc(
        {direct, any(x_), any(w_), bias_, any(y_), stride_, dilation_, padding_, padding_}, attributes_,
        onednn::engine(), forward_->desc));
  }

  ConvolutionForward forward(const Tensor& x, const Tensor& weight, const Tensor& bias) const {
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
    Tensor d = dy;  // reordered for one primitive, and again only if the other needs another layout
    const auto dy_as = [&](const dnnl::memory::desc& wants) {
      d = reordered(d, have, wants);
      have = wants;
      return view(wants, d);
    };
    if (wanted[0]) {
      const auto& [desc, primitive] = *backward_data_;
      const Tensor w = reordered(weight, plain_weights(), desc.weights_desc());
      const Tensor dx = memory_of(desc.diff_src_desc(), x_);
      run(desc, primitive, {{DNNL_ARG_DIFF_DST, dy_as(desc.diff_dst_desc())},
                            {DNNL_ARG_WEIGHTS, view(desc.weights_desc(), w)},
                            {DNNL_ARG_DIFF_SRC, view(desc.diff_src_desc(), dx)}});
      gradients[0] = channels_last(dx, desc.diff_src_desc(), x_);
    }
    if (wanted[1] || wanted[2]) {
      const auto& [desc, primitive] = *backward_weights_;
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
  /// Memory for a result: a channels-last tensor if that is the layout, else a buffer to be reordered.
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
  std::optional<Prepared<convolution_backward_data>> backward_data_;
  std::optional<Prepared<convolution_backward_weights>> backward_weights_;
};

std::shared_ptr<const Blocked> blocked(at::IntArrayRef x, const Tensor& weight, bool has_bias, const ConvolutionShape& s) {
  static std::mutex mutex;
  static std::map<std::vector<int64_t>, std::shared_ptr<const Blocked>> made;
  std::vector<int64_t> key{int64_t(has_bias), int64_t(at::get_num_threads())};
  for (const at::IntArrayRef part : {x, weight.sizes(), at::IntArrayRef(s.stride), at::IntArrayRef(s.padding),
                                     at::IntArrayRef(s.dilation)})
    key.insert(key.end(), part.begin(), part.end());
  const std::lock_guard<std::mutex> lock(mutex);
  if (made.size() > 256) made.clear();  // drop sizes that may never come again
  auto& one = made[key];
  if (one == nullptr) one = std::make_shared<const Blocked>(x, weight, has_bias, s);
  return one;
}

}  // namespace

bool blocks_are_faster(at::IntArrayRef weight, const ConvolutionShape& s) {
  return has_avx2() && s.groups == 1 && weight[2] * weight[3] > 1;
}

ConvolutionForward blocked_forward(const Tensor& x, const Tensor& weight, const Tensor& bias, const ConvolutionShape& shape) {
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

bool blocks_are_faster(at::IntArrayRef, const ConvolutionShape&) { return false; }
ConvolutionForward blocked_forward(const Tensor&, const Tensor&, const Tensor&, const ConvolutionShape&) { return {}; }
std::array<Tensor, 3> blocked_backward(const Tensor&, const Tensor&, at::IntArrayRef, const Tensor&,
                                       const ConvolutionShape&, std::array<bool, 3>) {
  return {};
}

#endif

}  // namespace magface
