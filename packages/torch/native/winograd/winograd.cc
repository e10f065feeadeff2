#include "winograd.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <atomic>

#include "../channel_kernels.h"

namespace magface::winograd {

#ifdef MAGFACE_X86
namespace avx2 { extern const Kernels kernels; }
namespace avx512 { extern const Kernels kernels; }
const Kernels& kernels() { return has_avx512() ? avx512::kernels : avx2::kernels; }
#else
const Kernels& kernels() { TORCH_CHECK(false, "Expected a processor with AVX2"); }
#endif

using at::Tensor;

namespace {

int64_t ceil_div(int64_t n, int64_t by) { return (n + by - 1) / by; }

/// Products per channel of x and channel of y, for a result of this height and width.
int64_t products_of(Tiling tiling, std::array<int64_t, 2> size) {
  return ceil_div(size[0], tile_of(tiling)) * ceil_div(size[1], tile_of(tiling)) * points_of(tiling);
}

/// Cuts an image of `sizes` (N, C, H, W) into tiles `step` pixels apart that cover `tiles_for` at `per_tile` pixels
/// each.
Tiled tiled(at::IntArrayRef sizes, std::array<int64_t, 2> tiles_for, int64_t per_tile, int64_t step,
            std::array<int64_t, 2> padding = {0, 0}) {
  return {sizes[2], sizes[3], sizes[1], ceil_div(tiles_for[0], per_tile), ceil_div(tiles_for[1], per_tile), step,
          {padding[0], padding[1]}};
}

/// Runs tasks on all threads. Each thread takes the next task when it is free, so a delayed thread takes fewer.
template <typename Task>
void for_each_task(int64_t tasks, Task task) {
  std::atomic<int64_t> next{0};
  at::parallel_for(0, at::get_num_threads(), 1, [&](int64_t, int64_t) {
    for (int64_t i; (i = next++) < tasks;) task(i);
  });
}

Tensor buffer(int64_t size) { return at::empty({size}, at::kFloat); }
Tensor channels_last(const Tensor& x) { return x.contiguous(at::MemoryFormat::ChannelsLast); }

/// y = u * x, where u holds the transformed kernels. Each task handles a range of tiles and, if there are few tiles, a
/// range of the channels of y. It transforms, multiplies and transforms back within the core's own cache.
void correlate(Tiling tiling, const Tensor& x, const Tiled& image, const Prologue& prologue, const Tensor& u,
               const Epilogue& epilogue, const Tensor& y, const Tiled& result) {
  const int64_t points = points_of(tiling), most_tiles = points < 81 ? 24 : 12, threads = at::get_num_threads();
  const int64_t tiles = x.size(0) * image.rows * image.columns, panels = result.channels / panel_width;
  const int64_t chunks = ceil_div(tiles, most_tiles);
  const int64_t groups = chunks >= 2 * threads ? 1 : std::min(panels, threads);
  const int64_t rows = kernels().rows, chunk = ceil_div(ceil_div(tiles, chunks), rows) * rows, group = ceil_div(panels, groups);
  const int64_t v_size = points * point_stride(image.channels, chunk);
  const int64_t m_size = points * point_stride(group * panel_width, chunk);
  const Tensor buffers = at::empty({threads, v_size + m_size}, at::kFloat);
  for_each_task(chunks * groups, [&](int64_t task) {
    const int64_t first = task / groups * chunk, panel = task % groups * group, end = std::min(panels, panel + group);
    const Chunk part{first, std::min(chunk, tiles - first)};
    if (part.count <= 0 || panel >= end) return;
    float* v = buffers.data_ptr<float>() + at::get_thread_num() * (v_size + m_size);
    kernels().image_panels(tiling, x.data_ptr<float>(), image, prologue, part, 0, part.count, v);
    kernels().products(tiling, v, u.data_ptr<float>(), image.channels, panels, panel, end, part.count, v + v_size);
    kernels().results(tiling, v + v_size, result, panel, end, part, epilogue, y.data_ptr<float>());
  });
}

}  // namespace

bool is_faster(at::IntArrayRef x, at::IntArrayRef weight, const ConvolutionShape& s) {
  if (!has_avx2() || s.groups != 1 || weight[2] != 3 || weight[3] != 3) return false;
  if (weight[0] % panel_width || weight[1] % panel_width) return false;
  const int64_t stride = s.stride[0];
  for (int i = 0; i < 2; ++i) {
    const bool fits = stride == 1 ? s.padding[i] <= 2 : stride == 2 && s.padding[i] == 1;
    if (s.stride[i] != stride || s.dilation[i] != 1 || !fits) return false;
  }
  const auto [height, width] = s.result_size(x, weight, s.padding);
  // Compares products per channel with those of direct convolution: 0.25 and 0.56 of them if tiles fit exactly.
  return products_of(default_tiling(s), {height, width}) * 4 <= height * width * 9 * 3;
}

Tiling default_tiling(const ConvolutionShape& s) { return s.stride[0] == 1 ? Tiling::stride_1 : Tiling::stride_2; }

Tiling best_tiling(at::IntArrayRef x, at::IntArrayRef weight, const ConvolutionShape& s) {
  // Reading a kernel value from memory takes as long as multiplying with it for eight tiles.
  constexpr int64_t tiles_per_value = 8;
  const auto size = s.result_size(x, weight, s.padding);
  const Tiling standard = default_tiling(s);
  const Tiling small = standard == Tiling::stride_1 ? Tiling::stride_1_small : Tiling::stride_2_small;
  const auto cost = [&](Tiling t) { return x[0] * products_of(t, size) + tiles_per_value * kernel_points_of(t); };
  return cost(small) * 10 < cost(standard) * 9 ? small : standard;
}

Tensor transform_kernels(const Tensor& weight, Tiling tiling, bool rotated) {
  const int64_t k = weight.size(0), c = weight.size(1);
  const Tensor plain = weight.contiguous(), u = buffer(kernel_points_of(tiling) * point_stride(k, c));
  for_each_task((rotated ? c : k) / panel_width, [&](int64_t panel) {
    kernels().kernel_panels(tiling, plain.data_ptr<float>(), k, c, rotated, panel, u.data_ptr<float>());
  });
  return u;
}

Tensor forward(const Tensor& x, const Tensor& u, int64_t k, const ConvolutionShape& s, Tiling tiling, const Prologue& prologue,
               const Epilogue& epilogue, Tensor y) {
  const int64_t tile = tile_of(tiling);
  const auto size = s.result_size(x.sizes(), {k, x.size(1), 3, 3}, s.padding);
  const Tensor image = channels_last(x);
  if (!y.defined()) y = at::empty({x.size(0), k, size[0], size[1]}, x.options(), at::MemoryFormat::ChannelsLast);
  correlate(tiling, image, tiled(image.sizes(), size, tile, tile * s.stride[0], s.padding), prologue, u, epilogue, y,
            tiled(y.sizes(), size, tile, tile));
  return y;
}

Tensor backward_data(const Tensor& dy, at::IntArrayRef x_sizes, const Tensor& weight, const ConvolutionShape& s) {
  const Tiling forward_tiling = default_tiling(s);
  const Tensor image = channels_last(dy), u = transform_kernels(weight, forward_tiling, true);
  const Tensor dx = at::empty(x_sizes, dy.options(), at::MemoryFormat::ChannelsLast);
  const std::array<int64_t, 2> size{x_sizes[2], x_sizes[3]};
  const int64_t tile = tile_of(forward_tiling), step = tile * s.stride[0];
  const bool is_stride_1 = forward_tiling == Tiling::stride_1;
  const std::array<int64_t, 2> padding =
      is_stride_1 ? std::array<int64_t, 2>{2 - s.padding[0], 2 - s.padding[1]} : std::array<int64_t, 2>{0, 0};
  correlate(is_stride_1 ? Tiling::stride_1 : Tiling::stride_2_backward, image,
            tiled(image.sizes(), size, step, tile, padding), {}, u, {}, dx, tiled(x_sizes, size, step, step));
  return dx;
}

Tensor backward_weights(const Tensor& dy, const Tensor& x, const Tensor& weight, const ConvolutionShape& s) {
  constexpr int64_t most_values = 1 << 22;  // transformed at once, 16 MiB
  constexpr int64_t few_tiles = 8, few_units = 4;
  const Tiling tiling = default_tiling(s);
  const int64_t k = weight.size(0), c = weight.size(1), tile = tile_of(tiling);
  const int64_t points = points_of(tiling), kernel_points = kernel_points_of(tiling), units = kernel_points * (k / panel_width);
  const Tensor image = channels_last(x), gradient = channels_last(dy);
  const std::array<int64_t, 2> size{dy.size(2), dy.size(3)};
  const Tiled image_tiles = tiled(image.sizes(), size, tile, tile * s.stride[0], s.padding);
  const Tiled gradient_tiles = tiled(gradient.sizes(), size, tile, tile);
  const int64_t tiles = x.size(0) * image_tiles.rows * image_tiles.columns;
  const int64_t most = std::min(tiles, std::max<int64_t>(64, most_values / (points * (c + k))));
  const Tensor v = buffer(points * point_stride(c, most)), z = buffer(points * point_stride(k, most));
  const Tensor d = buffer(kernel_points * point_stride(c, k));
  const Tensor gradients = at::empty({k, c, 3, 3}, weight.options());
  for (int64_t first = 0; first < tiles; first += most) {
    const Chunk chunk{first, std::min(most, tiles - first)};
    for_each_task(ceil_div(chunk.count, few_tiles), [&](int64_t task) {
      const int64_t from = task * few_tiles, to = std::min(chunk.count, from + few_tiles);
      kernels().image_panels(tiling, image.data_ptr<float>(), image_tiles, {}, chunk, from, to, v.data_ptr<float>());
      kernels().gradient_panels(tiling, gradient.data_ptr<float>(), gradient_tiles, chunk, from, to, z.data_ptr<float>());
    });
    for_each_task(ceil_div(units, few_units), [&](int64_t task) {
      kernels().gradient_products(tiling, v.data_ptr<float>(), z.data_ptr<float>(), c, k, chunk.count, first > 0, task * few_units,
                        std::min(units, (task + 1) * few_units), d.data_ptr<float>());
    });
  }
  for_each_task(k / panel_width, [&](int64_t panel) {
    kernels().kernel_gradients(tiling, d.data_ptr<float>(), k, c, panel, gradients.data_ptr<float>());
  });
  return gradients;
}

}  // namespace magface::winograd
