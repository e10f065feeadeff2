/** A head's numbers beside its centers: running statistics, and the trained bias. */
import { type Device, fromArray, full, noGrad, scope, type Tensor } from '@magface/torch';
import { float32Tensor, type Tensor as StoredTensor, toFloat32 } from '../../../format/tensor.ts';
import type { HeadFunction, RunningState } from './head-function.ts';

/** Where a number is saved in checkpoints, such as `fc.batch_mean`. */
const nameOf = (key: string): string => `fc.${key}`;

/** Name of the class margins (1, K) in checkpoints. */
export const classMarginsName: string = nameOf('margin');

/** Name of the bias (1) in checkpoints. */
export const biasName: string = nameOf('bias');

/** Running statistics: a step stages its own, and they count once it is done. */
export class HeadState {
  #values: RunningState;
  #staged: RunningState;

  constructor({ state = {} }: Pick<HeadFunction, 'state'>) {
    this.#values = rounded(state);
    this.#staged = this.#values;
  }

  get values(): RunningState {
    return this.#values;
  }

  stage(state: RunningState = this.#values): void {
    this.#staged = rounded(state);
  }

  commit(): void {
    this.#values = this.#staged;
  }

  save(): Map<string, StoredTensor> {
    const entries = Object.entries(this.#values);
    return new Map(entries.map(([key, value]) => [nameOf(key), float32Tensor([1], Float32Array.of(value))]));
  }

  /** Keeps the first value of what the checkpoint of another loss lacks. */
  restore(tensors: ReadonlyMap<string, StoredTensor>): void {
    const saved = Object.entries(this.#values).map(([key, first]) => {
      const stored = tensors.get(nameOf(key));
      return [key, stored === undefined ? first : toFloat32(stored)[0]!] as const;
    });
    this.#values = Object.fromEntries(saved);
    this.#staged = this.#values;
  }
}

/** As checkpoints keep them, so that a resumed run continues with the same numbers. */
const rounded = (state: RunningState): RunningState =>
  Object.fromEntries(Object.entries(state).map(([key, value]) => [key, Math.fround(value)]));

/** A trainable tensor of one value throughout. */
export function trainedNumbers(shape: readonly number[], initial: number, device: Device = 'cpu'): Tensor {
  const tensor = full(shape, initial, { dtype: 'float32', device });
  tensor.requiresGrad = true;
  return tensor;
}

/** Holds class margins within their limits, after a step. */
export function limitClassMargins(margins: Tensor | undefined, head: HeadFunction | undefined): void {
  const limits = head?.classMargins;
  if (margins === undefined || limits === undefined) return;
  using _scope = scope();
  using _grad = noGrad();
  margins.copy_(margins.clamp({ min: limits.lower, max: limits.upper }));
}

/** Restores a tensor, unless the checkpoint of another loss lacks it. @param place - which part of the stored shape this is */
export function restorePart(
  tensor: Tensor,
  stored: StoredTensor | undefined,
  place: (whole: Tensor) => Tensor = (whole) => whole,
): void {
  if (stored === undefined) return;
  using _scope = scope();
  using _grad = noGrad();
  tensor.copy_(place(fromArray(toFloat32(stored), stored.shape)));
}
