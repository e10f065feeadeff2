// A group of processes that compute together, over c10d: Gloo on CPUs, NCCL on CUDA devices.
#pragma once
#include <ATen/core/Tensor.h>
#include <napi.h>
#include <torch/csrc/distributed/c10d/Store.hpp>
#include <torch/csrc/distributed/c10d/Types.hpp>

#include "compat.h"
#if MAGFACE_TORCH_AT_LEAST(2, 0)
#include <torch/csrc/distributed/c10d/Backend.hpp>
#else
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#endif

namespace magface {

#if MAGFACE_TORCH_AT_LEAST(2, 0)
using Collectives = c10d::Backend;
#else
using Collectives = c10d::ProcessGroup;
#endif
using Work = c10::intrusive_ptr<c10d::Work>;

struct Group {
  c10::intrusive_ptr<Collectives> backend;
  int rank;
  int size;
  /// What the first collective that failed said: the group is of no use after it.
  std::string failure;
};

/// Groups live as long as the process, so a reference stays good.
Group& group_of(Napi::Value value);

/// Starts a sum over all ranks, in place.
Work start_all_reduce(Group& group, const at::Tensor& tensor, c10d::ReduceOp::RedOpType op = c10d::ReduceOp::SUM);

/// Waits; what went wrong is noted in the group and thrown.
void finish(Group& group, const Work& work);

/// BatchNorm in training over the batches of all ranks, of any type and on any device.
at::Tensor sync_batch_norm(Group& group, const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                           const at::Tensor& running_mean, const at::Tensor& running_variance, double momentum,
                           double epsilon);

}  // namespace magface
