/**
 * Partial FC: samples a rank's classes for a step. It always includes those of the batch, and adds others up to the
 * requested share, redrawn each step by a pure function of (seed, rank, step).
 *
 * @see An et al., Partial FC, arXiv 2010.05222
 */
import { hash } from '../data/sample-order.ts';
import type { Share } from './shares.ts';

/** The sampled classes of a rank, in order. */
export interface SampledClasses {
  /** (K_s): indices into the rank's K_r classes. */
  readonly rows: BigInt64Array;
  /** (N): index in `rows` of each sample's own class; 0 if another rank has it. */
  readonly own: BigInt64Array;
  /** (N): 1 if this rank has the own class. */
  readonly isHere: Uint8Array;
}

export interface SamplingOptions {
  /** Share of classes to sample. `--sample-rate` */
  readonly rate: number;
  readonly seed: number;
  readonly rank: number;
  readonly step: number;
}

/** @param labels - (N): labels of the whole batch */
export function sampleClasses(labels: BigInt64Array, share: Share, options: SamplingOptions): SampledClasses {
  const { rate, seed, rank, step } = options;
  const local = Array.from(labels, (label) => Number(label) - share.first);
  const isOurs = (row: number): boolean => row >= 0 && row < share.count;
  const takesPart = new Uint8Array(share.count);
  let count = 0;
  const take = (row: number): void => {
    count += 1 - takesPart[row]!;
    takesPart[row] = 1;
  };
  for (const row of local) if (isOurs(row)) take(row);
  const wanted = Math.max(1, Math.round(rate * share.count));
  for (let draw = 0; count < wanted; draw++) take(hash(seed, rank, step, draw) % share.count);

  const place = new Int32Array(share.count);
  const rows = new BigInt64Array(count);
  for (let row = 0, at = 0; row < share.count; row++) {
    if (takesPart[row] === 0) continue;
    rows[at] = BigInt(row);
    place[row] = at++;
  }
  return {
    rows,
    own: BigInt64Array.from(local, (row) => BigInt(isOurs(row) ? place[row]! : 0)),
    isHere: Uint8Array.from(local, (row) => Number(isOurs(row))),
  };
}

/** Selects every class of the rank. */
export function allClasses(labels: BigInt64Array, share: Share): Omit<SampledClasses, 'rows'> {
  const isHere = Uint8Array.from(labels, (label) => {
    const row = Number(label) - share.first;
    return Number(row >= 0 && row < share.count);
  });
  return { isHere, own: labels.map((label, i) => (isHere[i] === 1 ? label - BigInt(share.first) : 0n)) };
}
