/** Divides the rows of a batch, and classes, among ranks: in order, as evenly as possible, for any count. */
import { cat, type ProcessGroup, scope, type Tensor, zeros } from '@magface/torch';
import { ConfigError } from '../../errors.ts';

/** The items `first` to `first + count` of `total`. */
export interface Share {
  readonly first: number;
  readonly count: number;
  readonly total: number;
}

/** A process's position among ranks. */
export interface Rank {
  /** From 0. */
  readonly rank: number;
  /** R. */
  readonly size: number;
}

/** This rank's share of `total` items, starting at ⌊total · rank / R⌋. */
export function shareOf(total: number, { rank, size }: Rank): Share {
  const start = (of: number): number => Math.floor((total * of) / size);
  return { first: start(rank), count: start(rank + 1) - start(rank), total };
}

/** @throws {ConfigError} if a rank would have no sample of a batch */
export function shareOfBatch(batchSize: number, place: Rank): Share {
  if (batchSize >= place.size) return shareOf(batchSize, place);
  throw new ConfigError('batch-size', {
    expected: `a batch of at least one sample for each of the ${place.size} processes`,
    received: batchSize,
    remedy: 'raise --batch-size',
  });
}

/**
 * @param rows - (n, …): this rank's share
 * @param total - N
 * @returns (N, …): the rows of all ranks, equal on every rank
 */
export function gatherRows(group: ProcessGroup, rows: Tensor, total: number): Tensor {
  using all = scope();
  const [count = 0, ...rest] = rows.shape;
  const largest = Math.ceil(total / group.size);
  const short = largest - count;
  const even = short === 0 ? rows : cat([rows, zeros([short, ...rest], { dtype: rows.dtype, device: rows.device })]);
  const gathered = group.allGather(even); // (R · largest, …)
  if (largest * group.size === total) return all.keep(gathered);
  const parts = Array.from({ length: group.size }, (_, rank) =>
    gathered.narrow(0, rank * largest, shareOf(total, { rank, size: group.size }).count),
  );
  return all.keep(cat(parts));
}
