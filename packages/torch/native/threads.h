// The number of threads that an operator may use.
#pragma once
#include <ATen/Parallel.h>

namespace magface {

/// Sets the number of threads for operators that this thread calls. Skips the call if nothing changes:
/// at::set_num_threads() also recreates libtorch's second thread pool (pthreadpool), and each of its threads spins for
/// about 30 ms before it sleeps.
inline void use_threads(int count) {
  if (at::get_num_threads() != count) at::set_num_threads(count);
}

}  // namespace magface
