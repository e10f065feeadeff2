/** Results of processors that do not multiply bfloat16 stand beside those of the others. */
import { processor } from '@magface/torch';

/** @returns the benchmark's name, with that of the loops where the processor has no bfloat16: `training-speed-avx2` */
export function forProcessor(benchmark: string): string {
  const { bfloat16, kernels } = processor();
  return bfloat16 ? benchmark : `${benchmark}-${kernels}`;
}
