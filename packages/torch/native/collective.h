// Process groups over c10d: Gloo on CPUs, NCCL on CUDA devices.
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
  /// Message of the first failed collective. The group is unusable afterwards.
  std::string failure;
};

/// Groups live as long as the process, so the reference stays valid.
Group& group_of(Napi::Value value);

/// Starts a sum over all ranks, in place.
Work start_all_reduce(Group& group, const at::Tensor& tensor, c10d::ReduceOp::RedOpType op = c10d::ReduceOp::SUM);

/// Waits. A failure is recorded in the group and thrown.
void finish(Group& group, const Work& work);

/// Training BatchNorm over the batches of all ranks, for any type and device.
at::Tensor sync_batch_norm(Group& group, const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                           const at::Tensor& running_mean, const at::Tensor& running_variance, double momentum,
                           double epsilon);

}  // namespace magface
