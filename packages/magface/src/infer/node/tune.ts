/** Measures each way of running a recogniser on this machine. */

import { readyToRun } from '../../graph/onnx/file.ts';
import { cores } from '../../machine/cores.ts';
import { cacheFolder } from '../../models/cache.ts';
import type { LoadedModel } from '../../models/load-model.ts';
import type { Pixels } from '../../pixels.ts';
import { randomStream } from '../../random.ts';
import { compare } from '../../similarity.ts';
import type { Embedding } from '../embedder.ts';
import { createEmbedder, torchEngine } from './engine.ts';
import { type EngineName, type Trial, type Tuning, writeTuning } from './tuning.ts';

export interface TuneOptions {
  /** @default MAGFACE_CACHE, else the user's cache folder */
  readonly cacheDir?: string | undefined;
  /** Duration of each trial in milliseconds, without its first run. @default 700 */
  readonly milliseconds?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onTrial?: ((trial: Trial) => void) | undefined;
}

/** torch, which may compute in bfloat16, must agree with ONNX Runtime at least this well to be chosen. */
const leastCosine = 0.9995;
/** As a share: some two points of quality for the included model. */
const mostLengthChange = 0.005;
/** Longest acceptable time for a batch, in seconds. */
const longest = 3;
/** Minimum speed-up that justifies a larger batch or more threads. */
const worthwhile = 1.03;

/** @returns the best way, which is also stored in the cache for engine `auto` */
export async function tune(model: LoadedModel<'recogniser'>, options: TuneOptions = {}): Promise<Tuning> {
  const names: readonly EngineName[] = (await torchFits(model)) ? ['onnx', 'torch'] : ['onnx'];
  const agreement = names.includes('torch') ? await agreementOf(model) : { cosine: null, lengthChange: null };
  const trials: Trial[] = [];
  for (const name of names) {
    for (const threads of new Set([1, cores()])) trials.push(...(await tryBatches(model, name, threads, options)));
  }
  const agrees =
    agreement.cosine !== null && agreement.cosine >= leastCosine && agreement.lengthChange <= mostLengthChange;
  const fit = trials.filter(({ name }) => name === 'onnx' || agrees);
  const best = fit.reduce((least, one) => (one.rate > worthwhile * least.rate ? one : least));
  const found: Tuning = { name: best.name, threads: best.threads, batchSize: best.batchSize, trials, ...agreement };
  await writeTuning(cacheFolder(options.cacheDir), model.digest, found);
  return found;
}

/** Tries increasing batch sizes until a batch takes too long. */
async function tryBatches(
  model: LoadedModel<'recogniser'>,
  name: EngineName,
  threads: number,
  { milliseconds = 700, signal, onTrial }: TuneOptions,
): Promise<Trial[]> {
  const { batchFree } = readyToRun(model.bytes, model.name);
  const trials: Trial[] = [];
  for (const batchSize of batchFree ? [1, 8, 32] : [1]) {
    signal?.throwIfAborted();
    if (batchSize > longest * (trials.at(-1)?.rate ?? batchSize)) break;
    await using embedder = await createEmbedder(model, { name, threads, batchSize });
    const batch = syntheticFaces(batchSize);
    await embedder.embed(batch);
    const trial = {
      name,
      threads,
      batchSize,
      rate: await rateOf(() => embedder.embed(batch), batchSize, milliseconds),
    };
    trials.push(trial);
    onTrial?.(trial);
  }
  return trials;
}

/** How well embeddings of torch and ONNX Runtime agree, at worst: directions tell people apart, lengths are quality. */
async function agreementOf(model: LoadedModel<'recogniser'>): Promise<{ cosine: number; lengthChange: number }> {
  const faces = syntheticFaces(4);
  const embedded = async (name: EngineName): Promise<Embedding[]> => {
    await using embedder = await createEmbedder(model, { name, threads: cores(), batchSize: 4 });
    return await embedder.embed(faces);
  };
  const [float, small] = [await embedded('onnx'), await embedded('torch')];
  return {
    cosine: Math.min(...float.map(({ embedding }, i) => compare(embedding, small[i]!.embedding))),
    lengthChange: Math.max(...float.map(({ magnitude }, i) => Math.abs(small[i]!.magnitude / magnitude - 1))),
  };
}

/** Whether torch is installed and supports all of the model's operators. */
async function torchFits(model: LoadedModel<'recogniser'>): Promise<boolean> {
  try {
    const { torchVersions } = await torchEngine();
    if (torchVersions() === undefined) return false;
    const embedder = await createEmbedder(model, { name: 'torch', threads: 1, batchSize: 1 });
    await embedder.embed(syntheticFaces(1));
    await embedder[Symbol.asyncDispose]();
    return true;
  } catch {
    return false;
  }
}

/** Faces per second, from the median run, so that a short disturbance has no effect. */
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

/** Light and dark patches: not faces, but as smooth as faces, unlike noise. */
function syntheticFaces(count: number): Pixels[] {
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
