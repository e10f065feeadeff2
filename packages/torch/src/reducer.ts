/** Gradients summed over all ranks, bucket by bucket, while backward still runs. */
import type { ReducerHandle } from './binding.ts';
import { guarded } from './dispatch.ts';
import { native } from './load.ts';
import type { ProcessGroup } from './process-group.ts';
import type { Tensor } from './tensor.ts';

/** The parameters that every rank has a copy of. */
export class GradientReducer {
  readonly #group: ProcessGroup;
  readonly #handle: ReducerHandle;

  /**
   * @param parameters - leaves on one device, in the same order on every rank; backward reaches the last ones first
   * @param bucketBytes - gradients that travel together @default 25 MiB
   */
  constructor(group: ProcessGroup, parameters: readonly Tensor[], bucketBytes: number = 25 * 2 ** 20) {
    this.#group = group;
    const handles = parameters.map((parameter) => parameter.handle);
    const over = group.handleOf(parameters[0]?.device ?? 'cpu');
    this.#handle = guarded(() => native().reducer(over, handles, bucketBytes));
  }

  /**
   * Runs backward; on return every gradient is the sum of all ranks'.
   *
   * @returns what `backward` returns
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
