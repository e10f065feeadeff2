/** A trainer's communication with other ranks: shared steps, decisions and sums of gradients. */
import { fromArray, GradientReducer, type ProcessGroup, scope, type Tensor } from '@magface/torch';
import { ShapeError } from '../../errors.ts';
import { gatherRows, type Rank, type Share, shareOf } from './shares.ts';

/** Options for the cooperation of ranks. */
export interface RanksOptions {
  /** Whether BatchNorm computes its statistics over all ranks. `--sync-batch-norm` @default true */
  readonly syncBatchNorm?: boolean;
}

/**
 * The processes of a group, for a {@link Trainer}: all call the same methods in the same order. A process that trains alone
 * has no group: sums, maxima and batches are its own.
 */
export class Ranks implements Rank {
  /** Communicates tensors between ranks; undefined for a single process. */
  readonly group: ProcessGroup | undefined;
  readonly rank: number;
  /** R */
  readonly size: number;
  /** Whether BatchNorm computes its statistics over all ranks. */
  readonly syncBatchNorm: boolean;
  /** Argument to BatchNorm in training: the group that shares statistics, empty for statistics of this process only. */
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

  /** Whether this is the first rank, which prints and writes. */
  get isFirst(): boolean {
    return this.rank === 0;
  }

  /** Position of `count` rows in the whole batch. @throws {ShapeError} if they are not this rank's share of it */
  place(count: number): Share {
    const share = shareOf(this.sum(count), this);
    if (share.count === count) return share;
    throw new ShapeError({
      expected: `${share.count} of the ${share.total} samples on rank ${this.rank}`,
      problem: `it has ${count}`,
      remedy: 'pass `part` to the loader',
    });
  }

  /** Gathers every rank's rows, in order. */
  gather(rows: Tensor, { total }: Pick<Share, 'total'>): Tensor {
    return this.group === undefined ? rows : gatherRows(this.group, rows, total);
  }

  /** Gathers values: own (n, D) to all (N, D). */
  gatherValues(values: Float32Array, dimension: number, { count, total }: Share): Float32Array {
    if (this.group === undefined) return values;
    using _ = scope();
    return this.gather(fromArray(values, [count, dimension]), { total }).toArray() as Float32Array;
  }

  /** Runs a body that calls collectives itself, such as BatchNorm over all ranks. @throws {RankLostError} */
  run<T>(body: () => T): T {
    return this.group === undefined ? body() : this.group.run(body);
  }

  /** Runs the backward pass and sums the gradients of these parameters over ranks. */
  sumGradients<T>(parameters: readonly Tensor[], backward: () => T): T {
    if (this.group === undefined) return backward();
    this.#reducer ??= new GradientReducer(this.group, parameters);
    return this.#reducer.sum(backward);
  }

  /** Gathers the sample indices of the whole batch. */
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

  /** Whether the flag is true on any rank. */
  any(flag: boolean): boolean {
    return this.sum(Number(flag)) > 0;
  }

  /** The minimum over ranks; undefined if no rank has a value. */
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
