/** What a trainer does with the other ranks: one step, one decision, one sum of gradients. */
import { fromArray, GradientReducer, type ProcessGroup, scope, type Tensor } from '@magface/torch';
import { ShapeError } from '../../errors.ts';
import { gatherRows, type Share, shareOf } from './shares.ts';

/** What ranks do together beside summing gradients. */
export interface RanksOptions {
  /** Whether BatchNorm takes its statistics over all ranks. `--sync-batch-norm` @default true */
  readonly syncBatchNorm?: boolean;
}

/** The processes of a group as a {@link Trainer} needs them: all call the same methods in the same order. */
export class Ranks {
  readonly group: ProcessGroup;
  /** Whether BatchNorm takes its statistics over all ranks. */
  readonly syncBatchNorm: boolean;
  #reducer: GradientReducer | undefined;

  constructor(group: ProcessGroup, options: RanksOptions = {}) {
    this.group = group;
    this.syncBatchNorm = options.syncBatchNorm ?? true;
  }

  /** Whether this rank is the one that prints and writes. */
  get isFirst(): boolean {
    return this.group.rank === 0;
  }

  /** Where `count` rows stand in the whole batch. @throws {ShapeError} when they are not this rank's share of it */
  place(count: number): Share {
    const share = shareOf(this.sum(count), this.group);
    if (share.count === count) return share;
    throw new ShapeError(
      `Expected ${share.count} of the ${share.total} samples on rank ${this.group.rank} but it has ${count}: give the loader \`part\`.`,
    );
  }

  /** Every rank's rows, in order. */
  gather(rows: Tensor, { total }: Share): Tensor {
    return gatherRows(this.group, rows, total);
  }

  /** Runs backward, with the gradients of these parameters summed over ranks on the way. */
  sumGradients<T>(parameters: readonly Tensor[], backward: () => T): T {
    this.#reducer ??= new GradientReducer(this.group, parameters);
    return this.#reducer.sum(backward);
  }

  /** Which samples the whole batch is made of. */
  gatherIndices(indices: Uint32Array): Uint32Array {
    using _ = scope();
    const rows = fromArray(BigInt64Array.from(indices, BigInt));
    return Uint32Array.from(this.gather(rows, this.place(indices.length)).toArray(), Number);
  }

  /** The sum over ranks. */
  sum(value: number): number {
    using _ = scope();
    return this.group.allReduce(fromArray(Float64Array.of(value))).item();
  }

  /** Whether it is so on any rank. */
  any(flag: boolean): boolean {
    return this.sum(Number(flag)) > 0;
  }

  /** The least of what ranks have; undefined when none has one. */
  least(value: number | undefined): number | undefined {
    using _ = scope();
    const negated = fromArray(Float64Array.of(value === undefined ? Number.NEGATIVE_INFINITY : -value));
    const least = -this.group.allReduce(negated, 'max').item();
    return Number.isFinite(least) ? least : undefined;
  }
}
