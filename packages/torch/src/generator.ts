/** Streams of random numbers whose state can be saved. */
import type { Device, GeneratorHandle } from './binding.ts';
import { guarded } from './dispatch.ts';
import { native } from './load.ts';

/** A stream of random numbers, for operators that take a `generator`. */
export class Generator {
  /** @internal */
  readonly handle: GeneratorHandle;

  /** @param seed - a whole number from 0 */
  constructor(seed: number, device: Device = 'cpu') {
    this.handle = guarded(() => native().generator(device, seed));
  }

  /** All of its state, to be given to {@link Generator.restore} in another process. */
  save(): Uint8Array {
    const state = native().generatorState(this.handle);
    const copy = new Uint8Array(native().bytes(state).slice(0));
    native().free(state);
    return copy;
  }

  /** Goes on where the stream was when `state` was saved. */
  restore(state: Uint8Array): void {
    guarded(() => {
      const tensor = native().fromTypedArray(state, [state.length], 'uint8');
      native().setGeneratorState(this.handle, tensor);
      native().free(tensor);
    });
  }
}
