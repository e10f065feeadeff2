#include "packed_layers.h"

#include <ATen/ATen.h>

#include <map>

#include "channel_kernels.h"
#include "packed_backends.h"
#include "winograd/winograd.h"

namespace magface {

at::ScalarType packed_type() { return has_bfloat16() ? at::kBFloat16 : at::kFloat; }

namespace {

void expect_sizes(const char* what, const at::Tensor& x, at::IntArrayRef sizes) {
  TORCH_CHECK(x.sizes() == sizes, "Expected ", what, " of ", sizes, " but got ", x.sizes());
}

}  // namespace

/// The packed layer, and the transformed weights for images on which Winograd is faster.
struct PackedConvolution::Parts {
  ConvolutionLayer layer;
  std::unique_ptr<ConvolutionBackend> packed;
  at::Tensor weight;  // undefined if Winograd is impossible
  std::map<winograd::Tiling, at::Tensor> kept;  // transformed weights

  Parts(const at::Tensor& given, const at::Tensor& bias, const Geometry& geometry, const Limits& limits)
      : layer{given.sizes().vec(), bias, geometry, limits}, packed(make_convolution(given, layer)) {
    if (packed_type() == at::kFloat && geometry.padding == geometry.padding_end) weight = given;
  }

  bool uses_winograd(const at::Tensor& x) const {
    return weight.defined() && winograd::is_faster(x.sizes(), layer.kernels, layer.geometry);
  }

  /// Transformed weights are up to four times as large. They are cached only for small batches, where the transform
  /// dominates.
  at::Tensor transformed(winograd::Tiling tiling, int64_t faces) {
    constexpr int64_t few_faces = 8;
    if (kept.count(tiling)) return kept[tiling];
    const at::Tensor u = winograd::transform_kernels(weight, tiling, false);
    if (faces < few_faces) kept[tiling] = u;
    return u;
  }

  void expect(const at::Tensor& x, const at::Tensor& sum) const {
    TORCH_CHECK(x.dim() == 4, "Expected images (N, C, H, W) but got a tensor of ", x.sizes());
    expect_sizes("images", x, {x.size(0), layer.kernels[1] * layer.geometry.groups, x.size(2), x.size(3)});
    const auto [height, width] = layer.result_size(x.sizes());
    TORCH_CHECK(height > 0 && width > 0, "Expected images no smaller than the kernel but got ", x.sizes());
    if (sum.defined()) expect_sizes("a sum operand", sum, {x.size(0), layer.kernels[0], height, width});
  }
};

PackedConvolution::PackedConvolution(at::Tensor weight, at::Tensor bias, const Geometry& geometry, const Limits& limits) {
  expect_sizes("a bias", bias, {weight.size(0)});
  parts_ = std::make_unique<Parts>(weight, bias, geometry, limits);
}
PackedConvolution::~PackedConvolution() = default;

bool PackedConvolution::can_fuse(const at::Tensor& x) const { return x.dim() == 4 && parts_->uses_winograd(x); }

at::Tensor PackedConvolution::run(const FusedOps& ops, const at::Tensor& x, const at::Tensor& sum) {
  Parts& p = *parts_;
  p.expect(x, sum);
  const ConvolutionLayer& layer = p.layer;
  const auto data = [](const at::Tensor& t) { return t.defined() ? t.data_ptr<float>() : nullptr; };
  const winograd::Prologue prologue{data(ops.scale), data(ops.offset)};
  const winograd::Epilogue epilogue{data(layer.bias), data(sum), data(ops.slope), layer.limits.low, layer.limits.high};
  const winograd::Tiling tiling = winograd::best_tiling(x.sizes(), layer.kernels, layer.geometry);
  const at::Tensor u = p.transformed(tiling, x.size(0));
  return winograd::forward(x, u, layer.kernels[0], layer.geometry, tiling, prologue, epilogue, sum);
}

at::Tensor PackedConvolution::run(const at::Tensor& x, const at::Tensor& sum) {
  Parts& p = *parts_;
  p.expect(x, sum);
  const auto [height, width] = p.layer.result_size(x.sizes());
  const std::array<int64_t, 4> sizes{x.size(0), p.layer.kernels[0], height, width};
  const at::Tensor y = sum.defined() ? sum : at::empty(sizes, x.options(), at::MemoryFormat::ChannelsLast);
  p.packed->run(x, y, sum.defined());
  return y;
}

PackedLinear::PackedLinear(at::Tensor weight, at::Tensor bias) : features_(weight.size(1)) {
  expect_sizes("a bias", bias, {weight.size(0)});
  part_ = make_linear(weight, bias);
}
PackedLinear::~PackedLinear() = default;

at::Tensor PackedLinear::run(const at::Tensor& x) {
  expect_sizes("rows of features", x, {x.size(0), features_});
  return part_->run(x);
}

}  // namespace magface
