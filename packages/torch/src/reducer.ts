/** Sums gradients over all ranks, bucket by bucket, while backward still runs. */
import type { ReducerHandle } from './binding.ts';
import { guarded } from './dispatch.ts';
import { native } from './load.ts';
import type { ProcessGroup } from './process-group.ts';
import type { Tensor } from './tensor.ts';

/** Sums the gradients of parameters that every rank holds a copy of. */
export class GradientReducer {
  readonly #group: ProcessGroup;
  readonly #handle: ReducerHandle;

  /**
   * @param parameters - leaves on one device, in the same order on every rank, in forward order
   * @param bucketBytes - size of the gradients that are sent together @default 25 MiB
   */
  constructor(group: ProcessGroup, parameters: readonly Tensor[], bucketBytes: number = 25 * 2 ** 20) {
    this.#group = group;
    const handles = parameters.map((parameter) => parameter.handle);
    const groupHandle = group.handleOf(parameters[0]?.device ?? 'cpu');
    this.#handle = guarded(() => native().reducer(groupHandle, handles, bucketBytes));
  }

  /**
   * Runs backward. On return, every gradient is the sum over all ranks.
   *
   * @returns the result of `backward`
   * @throws {RankLostError}
   */
  sum<T>(backward: () => T): T {
    return this.#group.run(() => {
      native().reducerStart(this.#handle);
      const result = backward();
      guarded(() => native().reducerFinish(this.#handle));
      return result;
    });
  }
}
