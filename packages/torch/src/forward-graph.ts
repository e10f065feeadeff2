/**
 * Runs a network for inference only: constant weights, no gradients, off the JavaScript thread. Computes in bfloat16 if
 * the processor supports it, else in float32.
 */
import type { ForwardHandle, ForwardStep, Processor } from './binding.ts';
import { guarded } from './dispatch.ts';
import { fromNative, UseAfterFreeError } from './errors.ts';
import { native } from './load.ts';

/** Input, output and threads of a network. */
export interface ForwardGraphOptions {
  /** Name of the input value. */
  readonly input: string;
  /** Name of the output value. */
  readonly output: string;
  /** Number of threads per run. */
  readonly threads: number;
}

/** An inference network. It owns packed weights until you call `release`. Runs are queued. */
export class ForwardGraph {
  #handle: ForwardHandle | undefined;

  /** @param steps - in execution order; their weights are copied @throws {TorchError} if a step is invalid */
  constructor(steps: readonly ForwardStep[], { input, output, threads }: ForwardGraphOptions) {
    this.#handle = guarded(() => native().forwardGraph(steps, input, output, threads));
  }

  /**
   * @param values - (N, C, H, W) float32, or (N, H, W, C) with `channelsLast`; do not modify it during the run
   * @returns (N, D) float32
   * @throws {TorchError} if the shape of a value does not fit its step
   */
  async run(
    values: Float32Array,
    shape: readonly number[],
    { channelsLast = false }: { readonly channelsLast?: boolean } = {},
  ): Promise<Float32Array> {
    if (this.#handle === undefined)
      throw new UseAfterFreeError({
        expected: 'a live network',
        problem: 'this one was released',
        remedy: 'create a new ForwardGraph',
      });
    try {
      return await native().forwardRun(this.#handle, values, shape, channelsLast);
    } catch (error) {
      throw fromNative(error);
    }
  }

  /** Frees the weights once all pending runs have finished. */
  release(): void {
    if (this.#handle !== undefined) native().forwardRelease(this.#handle);
    this.#handle = undefined;
  }
}

/** What this processor supports, and which kernels and convolutions the addon uses. @throws {LibtorchError} */
export function processor(): Processor {
  return guarded(() => native().processor());
}
