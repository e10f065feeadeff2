#include "winograd.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <atomic>

#include "channel_kernels.h"

namespace magface::winograd {

using at::Tensor;

namespace {

int64_t over(int64_t n, int64_t by) { return (n + by - 1) / by; }

/// Products a channel of x and one of y, of a result's height and width.
int64_t products_of(Tiling tiling, std::array<int64_t, 2> size) {
  return over(size[0], tile_of(tiling)) * over(size[1], tile_of(tiling)) * points_of(tiling);
}

/// An image of `sizes` (N, C, H, W), a tile of which is `step` pixels high and wide, and `tiles_for` a size its tiles cover.
Tiled tiled(at::IntArrayRef sizes, std::array<int64_t, 2> tiles_for, int64_t per_tile, int64_t step,
            std::array<int64_t, 2> before = {0, 0}) {
  return {sizes[2], sizes[3], sizes[1], over(tiles_for[0], per_tile), over(tiles_for[1], per_tile), step,
          {before[0], before[1]}};
}

/// Tasks one after another to whichever thread asks: one that is held up by other work leaves more of them to the rest.
template <typename Task>
void share_out(int64_t tasks, Task task) {
  std::atomic<int64_t> next{0};
  at::parallel_for(0, at::get_num_threads(), 1, [&](int64_t, int64_t) {
    for (int64_t i; (i = next++) < tasks;) task(i);
  });
}

Tensor buffer(int64_t size) { return at::empty({size}, at::kFloat); }
Tensor channels_last(const Tensor& x) { return x.contiguous(at::MemoryFormat::ChannelsLast); }

/// y = u * x, where u has the transformed kernels for K channels of y. Each task has some tiles, and where these are few, some
/// of the channels of y: it transforms, multiplies and transforms back within what a processor's own cache holds.
void correlate(Tiling tiling, const Tensor& x, const Tiled& image, const Entry& entry, const Tensor& u,
               const Finish& finish, const Tensor& y, const Tiled& result) {
  const int64_t points = points_of(tiling), most_tiles = points < 81 ? 24 : 12, threads = at::get_num_threads();
  const int64_t tiles = x.size(0) * image.rows * image.columns, panels = result.channels / lanes;
  const int64_t chunks = over(tiles, most_tiles);
  const int64_t groups = chunks >= 2 * threads ? 1 : std::min(panels, threads);
  const int64_t chunk = over(over(tiles, chunks), 6) * 6, group = over(panels, groups);
  const int64_t of_v = points * point_stride(image.channels, chunk);
  const int64_t of_m = points * point_stride(group * lanes, chunk);
  const Tensor buffers = at::empty({threads, of_v + of_m}, at::kFloat);
  share_out(chunks * groups, [&](int64_t task) {
    const int64_t first = task / groups * chunk, panel = task % groups * group, end = std::min(panels, panel + group);
    const Chunk part{first, std::min(chunk, tiles - first)};
    if (part.count <= 0 || panel >= end) return;
    float* v = buffers.data_ptr<float>() + at::get_thread_num() * (of_v + of_m);
    image_panels(tiling, x.data_ptr<float>(), image, entry, part, 0, part.count, v);
    products(tiling, v, u.data_ptr<float>(), image.channels, panels, panel, end, part.count, v + of_v);
    results(tiling, v + of_v, result, panel, end, part, finish, y.data_ptr<float>());
  });
}

}  // namespace

bool wins(at::IntArrayRef x, at::IntArrayRef weight, const ConvolutionShape& s) {
  if (!is_avx2_alone() || s.groups != 1 || weight[2] != 3 || weight[3] != 3) return false;
  if (weight[0] % lanes || weight[1] % lanes) return false;
  const int64_t stride = s.stride[0];
  for (int i = 0; i < 2; ++i) {
    const bool fits = stride == 1 ? s.padding[i] <= 2 : stride == 2 && s.padding[i] == 1;
    if (s.stride[i] != stride || s.dilation[i] != 1 || !fits) return false;
  }
  const auto [height, width] = s.result_size(x, weight, s.padding);
  // Products a channel by tiles, beside those of each pixel: 0.25 and 0.56 of them where tiles fit.
  return products_of(usual_tiling(s), {height, width}) * 4 <= height * width * 9 * 3;
}

Tiling usual_tiling(const ConvolutionShape& s) { return s.stride[0] == 1 ? Tiling::same : Tiling::halved; }

Tiling best_tiling(at::IntArrayRef x, at::IntArrayRef weight, const ConvolutionShape& s) {
  // To read a kernel's value that no cache has takes as long as to multiply with it for eight tiles.
  constexpr int64_t tiles_a_value = 8;
  const auto size = s.result_size(x, weight, s.padding);
  const Tiling usual = usual_tiling(s), small = usual == Tiling::same ? Tiling::same_by_two : Tiling::halved_by_two;
  const auto cost = [&](Tiling t) { return x[0] * products_of(t, size) + tiles_a_value * kernel_points_of(t); };
  return cost(small) * 10 < cost(usual) * 9 ? small : usual;
}

Tensor transformed(const Tensor& weight, Tiling tiling, bool turned) {
  const int64_t k = weight.size(0), c = weight.size(1);
  const Tensor plain = weight.contiguous(), u = buffer(kernel_points_of(tiling) * point_stride(k, c));
  share_out((turned ? c : k) / lanes, [&](int64_t panel) {
    kernel_panels(tiling, plain.data_ptr<float>(), k, c, turned, panel, u.data_ptr<float>());
  });
  return u;
}

Tensor forward(const Tensor& x, const Tensor& u, int64_t k, const ConvolutionShape& s, Tiling tiling, const Entry& entry,
               const Finish& finish, Tensor y) {
  const int64_t tile = tile_of(tiling);
  const auto size = s.result_size(x.sizes(), {k, x.size(1), 3, 3}, s.padding);
  const Tensor image = channels_last(x);
  if (!y.defined()) y = at::empty({x.size(0), k, size[0], size[1]}, x.options(), at::MemoryFormat::ChannelsLast);
  correlate(tiling, image, tiled(image.sizes(), size, tile, tile * s.stride[0], s.padding), entry, u, finish, y,
            tiled(y.sizes(), size, tile, tile));
  return y;
}

Tensor of_image(const Tensor& dy, at::IntArrayRef x_sizes, const Tensor& weight, const ConvolutionShape& s) {
  const Tiling forth = usual_tiling(s);
  const Tensor image = channels_last(dy), u = transformed(weight, forth, true);
  const Tensor dx = at::empty(x_sizes, dy.options(), at::MemoryFormat::ChannelsLast);
  const std::array<int64_t, 2> size{x_sizes[2], x_sizes[3]};
  const int64_t tile = tile_of(forth), step = tile * s.stride[0];
  const bool is_same = forth == Tiling::same;
  const std::array<int64_t, 2> before =
      is_same ? std::array<int64_t, 2>{2 - s.padding[0], 2 - s.padding[1]} : std::array<int64_t, 2>{0, 0};
  correlate(is_same ? Tiling::same : Tiling::doubled, image, tiled(image.sizes(), size, step, tile, before), {}, u, {}, dx,
            tiled(x_sizes, size, step, step));
  return dx;
}

Tensor of_kernels(const Tensor& dy, const Tensor& x, const Tensor& weight, const ConvolutionShape& s) {
  constexpr int64_t most_values = 1 << 22;  // transformed at a time, 16 MiB
  constexpr int64_t few_tiles = 8, few_units = 4;
  const Tiling tiling = usual_tiling(s);
  const int64_t k = weight.size(0), c = weight.size(1), tile = tile_of(tiling);
  const int64_t points = points_of(tiling), kernel_points = kernel_points_of(tiling), units = kernel_points * (k / lanes);
  const Tensor image = channels_last(x), gradient = channels_last(dy);
  const std::array<int64_t, 2> size{dy.size(2), dy.size(3)};
  const Tiled below = tiled(image.sizes(), size, tile, tile * s.stride[0], s.padding);
  const Tiled above = tiled(gradient.sizes(), size, tile, tile);
  const int64_t tiles = x.size(0) * below.rows * below.columns;
  const int64_t most = std::min(tiles, std::max<int64_t>(64, most_values / (points * (c + k))));
  const Tensor v = buffer(points * point_stride(c, most)), z = buffer(points * point_stride(k, most));
  const Tensor d = buffer(kernel_points * point_stride(c, k));
  const Tensor gradients = at::empty({k, c, 3, 3}, weight.options());
  for (int64_t first = 0; first < tiles; first += most) {
    const Chunk chunk{first, std::min(most, tiles - first)};
    share_out(over(chunk.count, few_tiles), [&](int64_t task) {
      const int64_t from = task * few_tiles, to = std::min(chunk.count, from + few_tiles);
      image_panels(tiling, image.data_ptr<float>(), below, {}, chunk, from, to, v.data_ptr<float>());
      gradient_panels(tiling, gradient.data_ptr<float>(), above, chunk, from, to, z.data_ptr<float>());
    });
    share_out(over(units, few_units), [&](int64_t task) {
      gradient_products(tiling, v.data_ptr<float>(), z.data_ptr<float>(), c, k, chunk.count, first > 0, task * few_units,
                        std::min(units, (task + 1) * few_units), d.data_ptr<float>());
    });
  }
  share_out(k / lanes, [&](int64_t panel) {
    kernel_gradients(tiling, d.data_ptr<float>(), k, c, panel, gradients.data_ptr<float>());
  });
  return gradients;
}

}  // namespace magface::winograd
