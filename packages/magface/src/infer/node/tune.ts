/** Tries the ways of running a recogniser on this machine, each for a moment. */
import { availableParallelism } from 'node:os';
import { cacheFolder } from '../../models/cache.ts';
import type { LoadedModel } from '../../models/load-model.ts';
import { readyToRun } from '../../models/onnx-file.ts';
import type { Pixels } from '../../pixels.ts';
import { randomStream } from '../../random.ts';
import { compare } from '../../similarity.ts';
import { createEmbedder, type EngineName, torchEngine } from './engine.ts';
import { type Trial, type Tuning, writeTuning } from './tuning.ts';

export interface TuneOptions {
  /** @default MAGFACE_CACHE, else the user's cache folder */
  readonly cacheDir?: string | undefined;
  /** Milliseconds that each way is tried for, beside its first run. @default 700 */
  readonly milliseconds?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onTrial?: ((trial: Trial) => void) | undefined;
}

/** Less than this, and torch's bfloat16 is not chosen, however fast. */
const leastCosine = 0.9995;
/** Seconds that a batch of more than 8 may take. */
const longest = 3;
/** A larger batch or more threads must be worth so much. */
const worthwhile = 1.03;

/** @returns the best way, also written to the cache, where the engine `auto` finds it */
export async function tune(model: LoadedModel<'recogniser'>, options: TuneOptions = {}): Promise<Tuning> {
  const { milliseconds = 700, signal, onTrial } = options;
  const batches = readyToRun(model.bytes, model.name).batchFree ? [1, 8, 32] : [1];
  const names: readonly EngineName[] = (await torchFits(model)) ? ['onnx', 'torch'] : ['onnx'];
  const faces = madeUpFaces(32);
  const trials: Trial[] = [];
  const embeddings = new Map<EngineName, readonly Float32Array[]>();
  for (const name of names) {
    for (const threads of new Set([1, availableParallelism()])) {
      for (const batchSize of batches) {
        signal?.throwIfAborted();
        if (batchSize > longest * (trials.at(-1)?.rate ?? Number.POSITIVE_INFINITY) && batchSize > 8) continue;
        await using embedder = await createEmbedder(model, { name, threads, batchSize });
        const batch = faces.slice(0, batchSize);
        const first = await embedder.embed(batch);
        if (batchSize === Math.min(8, batches.at(-1)!))
          embeddings.set(
            name,
            first.map(({ embedding }) => embedding),
          );
        const rate = await rateOf(() => embedder.embed(batch), batchSize, milliseconds);
        trials.push({ name, threads, batchSize, rate });
        onTrial?.(trials.at(-1)!);
      }
    }
  }
  const torch = embeddings.get('torch');
  const cosine =
    torch === undefined ? null : Math.min(...torch.map((one, i) => compare(one, embeddings.get('onnx')![i]!)));
  const fit = trials.filter(({ name }) => name === 'onnx' || (cosine !== null && cosine >= leastCosine));
  const best = fit.reduce((least, one) => (one.rate > worthwhile * least.rate ? one : least));
  const { name, threads, batchSize } = best;
  const found: Tuning = { name, threads, batchSize, trials, cosine };
  await writeTuning(cacheFolder(options.cacheDir), model.digest, found);
  return found;
}

/** Whether torch is installed, has an operator for each of the model's, and the processor has bfloat16. */
async function torchFits(model: LoadedModel<'recogniser'>): Promise<boolean> {
  try {
    const { hasBfloat16, torchVersions } = await torchEngine();
    if (torchVersions() === undefined || !hasBfloat16()) return false;
    const embedder = await createEmbedder(model, { name: 'torch', threads: 1, batchSize: 1 });
    await embedder.embed(madeUpFaces(1));
    await embedder[Symbol.asyncDispose]();
    return true;
  } catch {
    return false;
  }
}

/** Faces a second: the median of runs, so that a moment of other work does not decide. */
async function rateOf(run: () => Promise<unknown>, faces: number, milliseconds: number): Promise<number> {
  const times: number[] = [];
  const end = performance.now() + milliseconds;
  do {
    const started = performance.now();
    await run();
    times.push(performance.now() - started);
  } while (performance.now() < end);
  return (1000 * faces) / times.sort((a, b) => a - b)[times.length >> 1]!;
}

/** Light and dark patches: no faces, but as smooth as these, which noise is not. */
function madeUpFaces(count: number): Pixels[] {
  const next = randomStream(1);
  return Array.from({ length: count }, () => {
    const waves = Array.from({ length: 9 }, () => [next(), next(), next()] as const);
    const data = Uint8Array.from({ length: 112 * 112 * 3 }, (_, i) => {
      const [x, y, channel] = [(Math.floor(i / 3) % 112) / 112, Math.floor(i / 336) / 112, i % 3];
      const sum = waves
        .filter((_, wave) => wave % 3 === channel || wave < 3)
        .reduce((total, [a, b, c]) => total + Math.sin(9 * (a * x + b * y) + 6 * c), 0);
      return 128 + 30 * sum;
    });
    return { data, width: 112, height: 112 };
  });
}
