/** A teacher's knowledge of a training set: its features, computed once by ONNX Runtime and kept in a folder. */
import { ConfigError } from '../../errors.ts';
import { createEmbedder } from '../../infer/node/engine.ts';
import { loadModel } from '../../models/load-model.ts';
import { blankPixels, type Pixels } from '../../pixels.ts';
import { asColumns, classSums, normalized } from '../finetune/directions.ts';
import { FrontCache, facesDigest, frontName } from '../finetune/front-cache.ts';
import { ViewReader } from '../finetune/view-reader.ts';
import type { Teacher } from '../model/distillation.ts';
import type { Ranks } from '../parallel/ranks.ts';
import { shareOf } from '../parallel/shares.ts';
import { faceBytes, faceSize, swapRedBlue } from './decode-sample.ts';
import { readAhead } from './read-ahead.ts';
import type { Dataset } from './samples.ts';

export interface TeacherOptions {
  /** Any ONNX recogniser of faces of 112 x 112: a path, an id, an address. */
  readonly model: string;
  readonly dataset: Dataset;
  /** Folder that keeps the features, for this set and this teacher. */
  readonly folder: string;
  /** Each embeds its share of the faces. */
  readonly ranks: Ranks;
  /** Threads that read faces, and of the network. */
  readonly workers: number;
  readonly threads: number;
  /** @param done - faces done, out of `total` */
  readonly onProgress?: (done: number, total: number) => void;
}

const batchSize = 32;

/**
 * Features of the faces as they are, with those of their mirror images added: also where the network sees a face mirrored or
 * damaged, its target is that of the face itself.
 *
 * @throws {ConfigError} if the model takes faces of another size
 * @throws {MagfaceError} `too_many_unreadable` naming an unreadable face
 */
export async function teach(options: TeacherOptions): Promise<Teacher> {
  const { dataset, folder, ranks } = options;
  const loaded = await loadModel(options.model, { kind: 'recogniser' });
  const { contract, digest } = loaded;
  const { width, height } = contract.input;
  if (width !== faceSize || height !== faceSize)
    throw new ConfigError('teacher', {
      expected: `a recogniser of faces of ${faceSize} x ${faceSize}`,
      problem: `${options.model} takes ${width} x ${height}`,
      remedy: 'use another model',
    });
  const { embeddingLength: dimension } = contract;
  const count = dataset.samples.length;
  const cache = new FrontCache(folder, frontName({ teacher: digest, faces: facesDigest(dataset.samples) }));
  const kept = cache.readFeatures(0, count * dimension);
  const isMissing = ranks.any(kept === undefined); // if any rank misses them, all compute them together
  const values = isMissing ? await embedAll(options, loaded) : kept!;
  if (isMissing && ranks.isFirst) await cache.writeFeatures(0, values);
  const unit = normalized({ values, dimension });
  const labels = Int32Array.from(dataset.samples, ({ label }) => label);
  return { directions: unit.values, centers: asColumns(classSums(unit, labels, dataset.classes)), dimension };
}

/** @returns (N, D) */
async function embedAll(
  { dataset, ranks, workers, threads, onProgress }: TeacherOptions,
  model: Parameters<typeof createEmbedder>[0],
): Promise<Float32Array> {
  const { embeddingLength: dimension } = model.contract;
  const share = shareOf(dataset.samples.length, ranks);
  const values = new Float32Array(share.count * dimension);
  await using embedder = await createEmbedder(model, { name: 'onnx', threads, batchSize });
  const reader = new ViewReader(dataset, workers);
  try {
    const starts = Array.from({ length: Math.ceil(share.count / batchSize) }, (_, i) => i * batchSize);
    const read = async (start: number) => {
      const size = Math.min(batchSize, share.count - start);
      const faces = Array.from({ length: size }, (_, i) => ({
        sample: share.first + start + i,
        augmentation: { flipped: false, damages: [] },
      }));
      return { start, faces: await reader.read(faces) };
    };
    for await (const { start, faces } of readAhead(starts, read)) {
      const embedded = await embedder.embed(crops(faces), { flip: true });
      for (const [i, { embedding }] of embedded.entries()) values.set(embedding, (start + i) * dimension);
      onProgress?.(start + embedded.length, share.count);
    }
  } finally {
    await reader.close();
  }
  return ranks.gatherValues(values, dimension, share);
}

/** @param faces - (N, 112, 112, 3) uint8, BGR */
function crops(faces: Uint8Array): Pixels[] {
  return Array.from({ length: faces.length / faceBytes }, (_, i) => {
    const face = blankPixels(faceSize, faceSize);
    swapRedBlue(faces.subarray(i * faceBytes, (i + 1) * faceBytes), face.data);
    return face;
  });
}
