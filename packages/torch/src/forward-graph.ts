/**
 * A network at inference alone: weights that never change, no gradients, and JavaScript goes on meanwhile. In bfloat16
 * where the processor multiplies that, else in float32.
 */
import type { ForwardHandle, ForwardStep, Processor } from './binding.ts';
import { guarded } from './dispatch.ts';
import { fromNative, UseAfterFreeError } from './errors.ts';
import { native } from './load.ts';

/** Where a network begins and ends, and how it is run. */
export interface ForwardGraphOptions {
  /** Name of the value that the batch comes in by. */
  readonly input: string;
  /** Name of the value that goes out. */
  readonly output: string;
  /** Threads of one run. */
  readonly threads: number;
}

/** Owns the packed weights; release them. Runs take turns. */
export class ForwardGraph {
  #handle: ForwardHandle | undefined;

  /** @param steps - in order; their weights are copied @throws {TorchError} when a step makes no sense */
  constructor(steps: readonly ForwardStep[], { input, output, threads }: ForwardGraphOptions) {
    this.#handle = guarded(() => native().forwardGraph(steps, input, output, threads));
  }

  /**
   * @param values - (N, C, H, W) float32, or (N, H, W, C) with `channelsLast`; not to be changed meanwhile
   * @returns (N, D) float32
   * @throws {TorchError} when a step does not fit its values
   */
  async run(
    values: Float32Array,
    shape: readonly number[],
    { channelsLast = false }: { readonly channelsLast?: boolean } = {},
  ): Promise<Float32Array> {
    if (this.#handle === undefined)
      throw new UseAfterFreeError('Expected a network but it was released: make another.');
    try {
      return await native().forwardRun(this.#handle, values, shape, channelsLast);
    } catch (error) {
      throw fromNative(error);
    }
  }

  /** Lets go of the weights, as soon as no run is on its way. */
  release(): void {
    if (this.#handle !== undefined) native().forwardRelease(this.#handle);
    this.#handle = undefined;
  }
}

/** What this processor has for bfloat16, and which loops and convolutions are used here. @throws {LibtorchError} */
export function processor(): Processor {
  return guarded(() => native().processor());
}
