#include "winograd.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <string_view>

#include "channel_kernels.h"

namespace magface::winograd {

using at::Tensor;

namespace {

int64_t over(int64_t n, int64_t by) { return (n + by - 1) / by; }

/// An image of `sizes` (N, C, H, W) below tiles for `results` of height by width, and zeros before its first pixel.
Tiled tiled(at::IntArrayRef sizes, int64_t height, int64_t width, int64_t top, int64_t left) {
  return {sizes[2], sizes[3], sizes[1], over(height, tile), over(width, tile), top, left};
}

Tensor buffer(int64_t size) { return at::empty({size}, at::kFloat); }

/// y = u * x, where u has the transformed kernels for K channels of y. Each task has some tiles, and where these are few, some
/// of the channels of y: it transforms, multiplies and transforms back within what a processor's own cache holds.
void correlate(const float* x, const Tiled& image, int64_t images, const float* u, int64_t k, const Finish& finish,
               float* y, const Tiled& result) {
  constexpr int64_t most_tiles = 48;
  const int64_t tiles = images * image.rows * image.columns, panels = k / lanes, threads = at::get_num_threads();
  const int64_t chunks = over(tiles, most_tiles);
  const int64_t groups = chunks >= 2 * threads ? 1 : std::min(panels, threads);
  const int64_t chunk = over(over(tiles, chunks), 6) * 6, group = over(panels, groups);
  const int64_t of_v = frequencies * chunk * image.channels, of_m = frequencies * chunk * group * lanes;
  const Tensor buffers = at::empty({threads, of_v + of_m}, at::kFloat);
  at::parallel_for(0, chunks * groups, 1, [&](int64_t from, int64_t to) {
    float* v = buffers.data_ptr<float>() + at::get_thread_num() * (of_v + of_m);
    for (; from < to; ++from) {
      const int64_t first = from / groups * chunk, count = std::min(chunk, tiles - first);
      const int64_t panel = from % groups * group, end = std::min(panels, panel + group);
      if (count <= 0 || panel >= end) continue;
      image_panels(x, image, first, 0, count, count, v);
      products(v, u, image.channels, panels, panel, end, count, v + of_v);
      results(v + of_v, result, panel, end, first, count, finish, y);
    }
  });
}

Tensor channels_last(const Tensor& x) { return x.contiguous(at::MemoryFormat::ChannelsLast); }

}  // namespace

bool wins(at::IntArrayRef x, at::IntArrayRef weight, const ConvolutionShape& s) {
  static const bool is_avx2 = std::string_view(kernels_name()) == "avx2";
  if (!is_avx2 || s.groups != 1 || weight[2] != 3 || weight[3] != 3 || weight[0] % lanes || weight[1] % lanes) return false;
  for (int i = 0; i < 2; ++i)
    if (s.stride[i] != 1 || s.dilation[i] != 1 || s.padding[i] > 2) return false;
  const int64_t height = x[2] + 2 * s.padding[0] - 2, width = x[3] + 2 * s.padding[1] - 2;
  // Products a channel by tiles, beside those of each pixel.
  return x[0] * over(height, tile) * over(width, tile) * frequencies * 5 <= x[0] * height * width * 9 * 3;
}

Tensor transformed(const Tensor& weight, bool turned) {
  const int64_t k = weight.size(0), c = weight.size(1);
  const Tensor plain = weight.contiguous(), u = buffer(frequencies * k * c);
  at::parallel_for(0, (turned ? c : k) / lanes, 1, [&](int64_t from, int64_t to) {
    for (; from < to; ++from) kernel_panels(plain.data_ptr<float>(), k, c, turned, from, u.data_ptr<float>());
  });
  return u;
}

Tensor forward(const Tensor& x, const Tensor& u, int64_t k, const ConvolutionShape& s, const Finish& finish, Tensor y) {
  const int64_t height = x.size(2) + 2 * s.padding[0] - 2, width = x.size(3) + 2 * s.padding[1] - 2;
  const Tensor image = channels_last(x);
  if (!y.defined()) y = at::empty({x.size(0), k, height, width}, x.options(), at::MemoryFormat::ChannelsLast);
  correlate(image.data_ptr<float>(), tiled(image.sizes(), height, width, s.padding[0], s.padding[1]), x.size(0),
            u.data_ptr<float>(), k, finish, y.data_ptr<float>(), tiled(y.sizes(), height, width, 0, 0));
  return y;
}

Tensor of_image(const Tensor& dy, at::IntArrayRef x_sizes, const Tensor& weight, const ConvolutionShape& s) {
  const Tensor image = channels_last(dy), u = transformed(weight, true);
  const Tensor dx = at::empty(x_sizes, dy.options(), at::MemoryFormat::ChannelsLast);
  correlate(image.data_ptr<float>(), tiled(image.sizes(), x_sizes[2], x_sizes[3], 2 - s.padding[0], 2 - s.padding[1]),
            x_sizes[0], u.data_ptr<float>(), weight.size(1), {}, dx.data_ptr<float>(),
            tiled(x_sizes, x_sizes[2], x_sizes[3], 0, 0));
  return dx;
}

Tensor of_kernels(const Tensor& dy, const Tensor& x, const Tensor& weight, const ConvolutionShape& s) {
  constexpr int64_t most_values = 1 << 22;  // transformed at a time, 16 MiB
  const Tensor image = channels_last(x), gradient = channels_last(dy);
  const int64_t k = weight.size(0), c = weight.size(1), height = dy.size(2), width = dy.size(3);
  const Tiled below = tiled(image.sizes(), height, width, s.padding[0], s.padding[1]);
  const Tiled above = tiled(gradient.sizes(), height, width, 0, 0);
  const int64_t tiles = x.size(0) * below.rows * below.columns;
  const int64_t chunk = std::min(tiles, std::max<int64_t>(64, most_values / (frequencies * (c + k))));
  constexpr int64_t part = 8;  // tiles that a thread transforms in turn
  const Tensor v = buffer(frequencies * chunk * c), z = buffer(frequencies * chunk * k), d = buffer(frequencies * c * k);
  const Tensor gradients = at::empty({k, c, 3, 3}, weight.options());
  for (int64_t first = 0; first < tiles; first += chunk) {
    const int64_t count = std::min(chunk, tiles - first);
    at::parallel_for(0, count, part, [&](int64_t from, int64_t to) {
      image_panels(image.data_ptr<float>(), below, first, from, to, count, v.data_ptr<float>());
      gradient_panels(gradient.data_ptr<float>(), above, first, from, to, count, z.data_ptr<float>());
    });
    at::parallel_for(0, frequencies * (k / lanes), 1, [&](int64_t from, int64_t to) {
      gradient_products(v.data_ptr<float>(), z.data_ptr<float>(), c, k, count, first > 0, from, to, d.data_ptr<float>());
    });
  }
  at::parallel_for(0, k / lanes, 1, [&](int64_t from, int64_t to) {
    for (; from < to; ++from) kernel_gradients(d.data_ptr<float>(), k, c, from, gradients.data_ptr<float>());
  });
  return gradients;
}

}  // namespace magface::winograd
