/** Computes similarities of millions of template pairs on all cores, without copying vectors. */
import { cores } from '../machine/cores.ts';
import { Thread } from '../machine/thread.ts';
import { product } from '../row-products.ts';

/** The input of the threads; every array is in shared memory. */
export interface PairScoreJob {
  /** (T, D) float32 of length 1. */
  readonly vectors: Float32Array;
  readonly dimension: number;
  /** (P) rows of `vectors`. */
  readonly left: Int32Array;
  readonly right: Int32Array;
}

/** Below this many pairs a thread costs more than it saves. */
const pairsPerThread = 50_000;

/**
 * @param threads - largest number of threads. @default one per core
 * @returns (P) float32 cosine of every pair
 */
export async function scorePairs(job: PairScoreJob, threads: number = cores()): Promise<Float32Array> {
  const pairs = job.left.length;
  const scores = new Float32Array(new SharedArrayBuffer(pairs * 4));
  const parts = Math.max(1, Math.min(threads, Math.ceil(pairs / pairsPerThread)));
  const bound = (part: number): number => Math.floor((pairs * part) / parts);
  const part = (i: number): PairRange => ({ job, scores, from: bound(i), to: bound(i + 1) });
  if (parts === 1) dotRange(part(0));
  else await Promise.all(Array.from({ length: parts }, (_, i) => inThread(part(i))));
  return scores;
}

async function inThread(range: PairRange): Promise<void> {
  const thread = new Thread<PairRange, undefined>(import.meta.url, './pair-scores-worker.js');
  await thread.call(range).finally(() => thread.close(undefined));
}

/** Some pairs of a job. */
export interface PairRange {
  readonly job: PairScoreJob;
  /** (P) in shared memory, filled between `from` and `to`. */
  readonly scores: Float32Array;
  readonly from: number;
  readonly to: number;
}

export function dotRange({ job: { vectors, dimension, left, right }, scores, from, to }: PairRange): void {
  for (let pair = from; pair < to; pair++)
    scores[pair] = product(vectors, left[pair]! * dimension, vectors, right[pair]! * dimension, dimension);
}
