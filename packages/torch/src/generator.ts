/** Random number generators whose state can be saved. */
import type { Device, GeneratorHandle } from './binding.ts';
import { guarded } from './dispatch.ts';
import { native } from './load.ts';

/** A random number generator, for operators that take a `generator`. */
export class Generator {
  /** @internal */
  readonly handle: GeneratorHandle;

  /** @param seed - a whole number from 0 */
  constructor(seed: number, device: Device = 'cpu') {
    this.handle = guarded(() => native().generator(device, seed));
  }

  /** Saves the state, for {@link Generator.restore} in this or another process. */
  save(): Uint8Array {
    const state = native().generatorState(this.handle);
    const copy = new Uint8Array(native().bytes(state).slice(0));
    native().free(state);
    return copy;
  }

  /** Continues from a saved state. */
  restore(state: Uint8Array): void {
    guarded(() => {
      const tensor = native().fromTypedArray(state, [state.length], 'uint8');
      native().setGeneratorState(this.handle, tensor);
      native().free(tensor);
    });
  }
}
