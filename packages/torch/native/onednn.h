// Shared helpers for oneDNN's interface. Include only if MAGFACE_ONEDNN is defined: its headers are then installed.
#pragma once
#include <ATen/core/Tensor.h>

#include <dnnl.hpp>
#include <unordered_map>

namespace magface::onednn {

using Dims = dnnl::memory::dims;

inline dnnl::engine& engine() {
  static dnnl::engine one(dnnl::engine::kind::cpu, 0);
  return one;
}
inline dnnl::stream& stream() {
  thread_local dnnl::stream one(engine());
  return one;
}

constexpr auto f32 = dnnl::memory::data_type::f32;

inline dnnl::memory::desc described(const Dims& dims, dnnl::memory::data_type type, dnnl::memory::format_tag tag) {
  return {dims, type, tag};
}

/// oneDNN's view of a tensor's memory, not a copy.
inline dnnl::memory view(const dnnl::memory::desc& desc, const at::Tensor& tensor) {
  return dnnl::memory(desc, engine(), tensor.data_ptr());
}

template <typename Primitive>
struct Prepared {
  typename Primitive::primitive_desc desc;
  Primitive primitive;
  explicit Prepared(const typename Primitive::primitive_desc& made) : desc(made), primitive(made) {}
};

/// Runs a primitive and waits until it is done.
template <typename Primitive>
void run(const Primitive& primitive, const std::unordered_map<int, dnnl::memory>& arguments) {
  primitive.execute(stream(), arguments);
  stream().wait();
}

inline void reorder(dnnl::memory from, dnnl::memory to) {
  run(dnnl::reorder(from, to), {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}});
}

}  // namespace magface::onednn
