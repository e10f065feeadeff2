#include "packed_layers.h"

#include <ATen/ATen.h>

#include <map>

#include "channel_kernels.h"
#include "packed_parts.h"
#include "winograd.h"

namespace magface {

at::ScalarType packed_type() { return multiplies_bfloat16() ? at::kBFloat16 : at::kFloat; }

namespace {

void expect_sizes(const char* what, const at::Tensor& x, at::IntArrayRef sizes) {
  TORCH_CHECK(x.sizes() == sizes, "Expected ", what, " of ", sizes, " but got ", x.sizes());
}

}  // namespace

/// The layer, packed; where tiles are faster for an image, by those.
struct PackedConvolution::Parts {
  ConvolutionLayer layer;
  std::unique_ptr<ConvolutionPart> packed;
  at::Tensor weight;  // where there may be tiles
  std::map<winograd::Tiling, at::Tensor> kept;  // transformed

  Parts(const at::Tensor& given, const at::Tensor& bias, const Geometry& geometry, const Limits& limits)
      : layer{given.sizes().vec(), bias, geometry, limits}, packed(convolution_part(given, layer)) {
    if (packed_type() == at::kFloat && geometry.padding == geometry.after) weight = given;
  }

  bool takes_tiles(const at::Tensor& x) const {
    return weight.defined() && winograd::wins(x.sizes(), layer.kernels, layer.geometry);
  }

  /// They are up to four times as large as the kernels were: they are kept only where making them is much of the work.
  at::Tensor transformed(winograd::Tiling tiling, int64_t faces) {
    constexpr int64_t few_faces = 8;
    if (kept.count(tiling)) return kept[tiling];
    const at::Tensor u = winograd::transformed(weight, tiling, false);
    if (faces < few_faces) kept[tiling] = u;
    return u;
  }

  void expect(const at::Tensor& x, const at::Tensor& sum) const {
    TORCH_CHECK(x.dim() == 4, "Expected images (N, C, H, W) but got a tensor of ", x.sizes());
    expect_sizes("images", x, {x.size(0), layer.kernels[1] * layer.geometry.groups, x.size(2), x.size(3)});
    const auto [height, width] = layer.result_size(x.sizes());
    TORCH_CHECK(height > 0 && width > 0, "Expected images no smaller than the kernel but got ", x.sizes());
    if (sum.defined()) expect_sizes("what is added", sum, {x.size(0), layer.kernels[0], height, width});
  }
};

PackedConvolution::PackedConvolution(at::Tensor weight, at::Tensor bias, const Geometry& geometry, const Limits& limits) {
  expect_sizes("a bias", bias, {weight.size(0)});
  parts_ = std::make_unique<Parts>(weight, bias, geometry, limits);
}
PackedConvolution::~PackedConvolution() = default;

bool PackedConvolution::takes_lines(const at::Tensor& x) const { return x.dim() == 4 && parts_->takes_tiles(x); }

at::Tensor PackedConvolution::run(const Lines& lines, const at::Tensor& x, const at::Tensor& sum) {
  Parts& p = *parts_;
  p.expect(x, sum);
  const ConvolutionLayer& layer = p.layer;
  const auto data = [](const at::Tensor& t) { return t.defined() ? t.data_ptr<float>() : nullptr; };
  const winograd::Entry entry{data(lines.scale), data(lines.offset)};
  const winograd::Finish finish{data(layer.bias), data(sum), data(lines.slope), layer.limits.low, layer.limits.high};
  const winograd::Tiling tiling = winograd::best_tiling(x.sizes(), layer.kernels, layer.geometry);
  const at::Tensor u = p.transformed(tiling, x.size(0));
  return winograd::forward(x, u, layer.kernels[0], layer.geometry, tiling, entry, finish, sum);
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
  part_ = linear_part(weight, bias);
}
PackedLinear::~PackedLinear() = default;

at::Tensor PackedLinear::run(const at::Tensor& x) {
  expect_sizes("rows of features", x, {x.size(0), features_});
  return part_->run(x);
}

}  // namespace magface
