/** Results of processors without bfloat16 have their own names. */
import { processor } from '@magface/torch';

/** @returns the benchmark's name; without bfloat16, followed by the kernels' name: `training-speed-avx2` */
export function forProcessor(benchmark: string): string {
  const { bfloat16, kernels } = processor();
  return bfloat16 ? benchmark : `${benchmark}-${kernels}`;
}
