// How many threads an operator may use.
#pragma once
#include <ATen/Parallel.h>

namespace magface {

/// For operators called by this thread. Not set again where it is so already: at::set_num_threads() also makes libtorch's second
/// pool of threads (pthreadpool's) anew, and each of its threads keeps a processor busy for some 30 ms before it sleeps.
inline void use_threads(int count) {
  if (at::get_num_threads() != count) at::set_num_threads(count);
}

}  // namespace magface
