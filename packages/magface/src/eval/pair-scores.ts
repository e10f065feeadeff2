/** Computes similarities of millions of template pairs on all cores, without copying vectors. */
import { Worker } from 'node:worker_threads';
import { MagfaceError } from '../errors.ts';
import { cores } from '../machine/cores.ts';

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
  if (parts === 1) dotRange(job, scores, 0, pairs);
  else await Promise.all(Array.from({ length: parts }, (_, i) => inThread(job, scores, bound(i), bound(i + 1))));
  return scores;
}

function inThread(job: PairScoreJob, scores: Float32Array, from: number, to: number): Promise<void> {
  // The thread gets the function's source text, so it runs the same from TypeScript and from dist.
  const source = `const { job, scores, from, to } = require('node:worker_threads').workerData; (${dotRange})(job, scores, from, to);`;
  return new Promise((resolve, reject) => {
    const worker = new Worker(source, { eval: true, execArgv: [], workerData: { job, scores, from, to } });
    worker.once('error', reject);
    worker.once('exit', (code) => {
      if (code === 0) resolve();
      else
        reject(new MagfaceError('thread_failed', `Expected a scoring thread to end well but it exited with ${code}.`));
    });
  });
}

/** Must be self-contained, as its text runs in a thread. Four sums hide the latency of additions. */
function dotRange(
  { vectors, dimension, left, right }: PairScoreJob,
  scores: Float32Array,
  from: number,
  to: number,
): void {
  const blocked = dimension - (dimension % 4);
  for (let pair = from; pair < to; pair++) {
    const a = left[pair]! * dimension;
    const b = right[pair]! * dimension;
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    for (let d = 0; d < blocked; d += 4) {
      s0 += vectors[a + d]! * vectors[b + d]!;
      s1 += vectors[a + d + 1]! * vectors[b + d + 1]!;
      s2 += vectors[a + d + 2]! * vectors[b + d + 2]!;
      s3 += vectors[a + d + 3]! * vectors[b + d + 3]!;
    }
    for (let d = blocked; d < dimension; d++) s0 += vectors[a + d]! * vectors[b + d]!;
    scores[pair] = s0 + s1 + s2 + s3;
  }
}
