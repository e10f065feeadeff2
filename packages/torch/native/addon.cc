// The addon's exports. Each file registers its own functions.
#include "handle.h"

namespace {

Napi::Object init(Napi::Env env, Napi::Object exports) {
  magface::init_tensor(env, exports);
  magface::init_dispatch(env, exports);
  magface::init_autograd(env, exports);
  magface::init_sgd(env, exports);
  magface::init_allocator(env, exports);
  magface::init_convolution(env, exports);
  magface::init_fused(env, exports);
  magface::init_forward_graph(env, exports);
  magface::init_collective(env, exports);
  magface::init_reducer(env, exports);
  return exports;
}

}  // namespace

NODE_API_MODULE(magface_torch, init)
