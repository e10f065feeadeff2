/** Mixed precision. */
import type { Device } from './binding.ts';
import { guarded } from './dispatch.ts';
import { native } from './load.ts';

/**
 * `using _ = autocast('bfloat16')`: convolutions and matrix products run in the smaller type, the rest in float32,
 * until the block ends.
 *
 * @param dtype - null turns it off inside a block where it is on
 */
export function autocast(dtype: 'bfloat16' | 'float16' | null, device: Device = 'cpu'): Disposable {
  const before = guarded(() => native().autocast(device, dtype));
  return { [Symbol.dispose]: () => void native().autocast(device, before) };
}
