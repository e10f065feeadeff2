/** What a trainer does with the other ranks: one step, one decision, one sum of gradients. */
import { fromArray, GradientReducer, type ProcessGroup, scope, type Tensor } from '@magface/torch';
import { ShapeError } from '../../errors.ts';
import { gatherRows, type Rank, type Share, shareOf } from './shares.ts';

/** What ranks do together beside summing gradients. */
export interface RanksOptions {
  /** Whether BatchNorm takes its statistics over all ranks. `--sync-batch-norm` @default true */
  readonly syncBatchNorm?: boolean;
}

/**
 * The processes of a group as a {@link Trainer} needs them: all call the same methods in the same order. A process that trains
 * alone has no group, and is its own sum, its own maximum and the whole of every batch.
 */
export class Ranks implements Rank {
  /** What carries tensors between them; undefined for a process alone. */
  readonly group: ProcessGroup | undefined;
  readonly rank: number;
  /** R */
  readonly size: number;
  /** Whether BatchNorm takes its statistics over all ranks. */
  readonly syncBatchNorm: boolean;
  /** What BatchNorm is given in training: the group whose batches its statistics are of, if not this process's alone. */
  readonly together: { readonly group?: ProcessGroup };
  #reducer: GradientReducer | undefined;

  /** @param group - undefined for a process that trains alone */
  constructor(group?: ProcessGroup, options: RanksOptions = {}) {
    this.group = group;
    this.rank = group?.rank ?? 0;
    this.size = group?.size ?? 1;
    this.syncBatchNorm = options.syncBatchNorm ?? true;
    this.together = this.syncBatchNorm && group !== undefined ? { group } : {};
  }

  /** Whether this rank is the one that prints and writes. */
  get isFirst(): boolean {
    return this.rank === 0;
  }

  /** Where `count` rows stand in the whole batch. @throws {ShapeError} when they are not this rank's share of it */
  place(count: number): Share {
    const share = shareOf(this.sum(count), this);
    if (share.count === count) return share;
    throw new ShapeError(
      `Expected ${share.count} of the ${share.total} samples on rank ${this.rank} but it has ${count}: give the loader \`part\`.`,
    );
  }

  /** Every rank's rows, in order. */
  gather(rows: Tensor, { total }: Pick<Share, 'total'>): Tensor {
    return this.group === undefined ? rows : gatherRows(this.group, rows, total);
  }

  /** The same of values: own (n, D) to all (N, D). */
  gatherValues(values: Float32Array, dimension: number, { count, total }: Share): Float32Array {
    if (this.group === undefined) return values;
    using _ = scope();
    return this.gather(fromArray(values, [count, dimension]), { total }).toArray() as Float32Array;
  }

  /** Runs what calls collectives by itself, as BatchNorm over all ranks does. @throws {RankLostError} */
  run<T>(body: () => T): T {
    return this.group === undefined ? body() : this.group.run(body);
  }

  /** Runs backward, with the gradients of these parameters summed over ranks on the way. */
  sumGradients<T>(parameters: readonly Tensor[], backward: () => T): T {
    if (this.group === undefined) return backward();
    this.#reducer ??= new GradientReducer(this.group, parameters);
    return this.#reducer.sum(backward);
  }

  /** Which samples the whole batch is made of. */
  gatherIndices(indices: Uint32Array): Uint32Array {
    if (this.group === undefined) return indices;
    using _ = scope();
    const rows = fromArray(BigInt64Array.from(indices, BigInt));
    return Uint32Array.from(this.gather(rows, this.place(indices.length)).toArray(), Number);
  }

  /** The sum over ranks. */
  sum(value: number): number {
    return this.#reduced(value, 'sum');
  }

  /** Whether it is so on any rank. */
  any(flag: boolean): boolean {
    return this.sum(Number(flag)) > 0;
  }

  /** The least of what ranks have; undefined when none has one. */
  least(value: number | undefined): number | undefined {
    const least = -this.#reduced(value === undefined ? Number.NEGATIVE_INFINITY : -value, 'max');
    return Number.isFinite(least) ? least : undefined;
  }

  #reduced(value: number, operation: 'sum' | 'max'): number {
    if (this.group === undefined) return value;
    using _ = scope();
    return this.group.allReduce(fromArray(Float64Array.of(value)), operation).item();
  }
}
