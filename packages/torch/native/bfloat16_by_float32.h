#pragma once

namespace magface {

/// autocast('bfloat16') where oneDNN has no bfloat16 for the processor. libtorch's own loops take ten times as long as
/// float32 there, so convolutions and products are done in float32 on values rounded to bfloat16, and what comes out is
/// rounded: the numbers of a processor that has it, but for the order of sums. A run goes on alike wherever it is resumed.
///
/// To be called before autocast('bfloat16') is set.
void have_bfloat16();

}  // namespace magface
