/** Mixed precision. */
import type { Device } from './binding.ts';
import { guarded } from './dispatch.ts';
import { native } from './load.ts';

/**
 * `using _ = autocast('bfloat16')`: until the block ends, convolutions and matrix products run in the smaller type and
 * everything else in float32.
 *
 * @param dtype - null turns autocast off inside a block that has it on
 */
export function autocast(dtype: 'bfloat16' | 'float16' | null, device: Device = 'cpu'): Disposable {
  const before = guarded(() => native().autocast(device, dtype));
  return { [Symbol.dispose]: () => void native().autocast(device, before) };
}
