#pragma once

namespace magface {

/// Emulates autocast('bfloat16') on processors for which oneDNN has no bfloat16. libtorch's own loops are ten times as
/// slow as float32 there. This computes convolutions and matrix products in float32 on values rounded to bfloat16, and
/// rounds the results. They equal those of a processor with bfloat16 up to the order of summation, so a run can resume
/// on either.
///
/// Call it before setting autocast('bfloat16').
void enable_bfloat16_emulation();

}  // namespace magface
