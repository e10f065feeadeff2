/** How good the model is now: verification and error versus reject on pairs of people it was not trained on. */
import { trimMemory } from '@magface/torch';
import { ConfigError, ImageError, ShapeError } from '../errors.ts';
import { magnitudesOf } from '../eval/feature-set.ts';
import { readPairList } from '../eval/pair-list.ts';
import { errorVersusReject, pairQuality } from '../eval/reject.ts';
import { canMeasure } from '../eval/roc.ts';
import { cosineSimilarities, type Pairs, verify } from '../eval/verification.ts';
import { inRoot, rootOf } from './dataset.ts';
import { decodeSample, faceBytes } from './decode-sample.ts';
import type { Trainer } from './trainer.ts';

/** Images and the pairs among them. */
export interface ValidationSet {
  readonly images: readonly string[];
  readonly pairs: Pairs;
}

/** A row of `validation.jsonl`. */
export interface ValidationRow {
  /** Epochs done. */
  readonly epoch: number;
  /** By the official 10-fold protocol. */
  readonly accuracy: number;
  readonly accuracyStd: number;
  readonly auc: number;
  readonly tarAtFar: Readonly<Record<string, number>>;
  /** FNMR at FMR 1e-2 when the lowest 0, 10, 20, 30 % of pairs by magnitude are turned away; null with few pairs. */
  readonly rejectFnmr: readonly (number | null)[];
}

/**
 * Reads the list, and every image once: a run shall not come to the end of its first epoch to find one missing.
 *
 * @param root - folder that names are relative to @default the current one, else the list's
 * @throws {ConfigError} when the list names no images, or the first is not in the root
 * @throws {ImageError} naming an image that cannot be used
 */
export async function readValidationSet(file: string, root?: string): Promise<ValidationSet> {
  const { left, right, same } = await readPairList(file);
  if ([...left, ...right].includes('')) {
    const message = `Expected a list of pairs that names their images but ${file} has labels alone: add the names.`;
    throw new ConfigError('eval-pairs', message);
  }
  const base = rootOf(file, left[0]!, { root, key: 'eval-root' });
  const rows = new Map<string, number>();
  const rowOf = (name: string): number => {
    const row = rows.get(name) ?? rows.size;
    rows.set(name, row);
    return row;
  };
  const pairs = { left: Uint32Array.from(left, rowOf), right: Uint32Array.from(right, rowOf), same };
  const images = [...rows.keys()].map((name) => inRoot(base, name));
  const face = new Uint8Array(faceBytes);
  for (const image of images) await readFace(image, face);
  return { images, pairs };
}

/** @throws {ImageError} */
async function readFace(image: string, into: Uint8Array): Promise<void> {
  try {
    await decodeSample(image, into, false);
  } catch (cause) {
    const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const code = cause instanceof ShapeError ? 'image_wrong_size' : isMissing ? 'image_missing' : 'image_unreadable';
    const why = isMissing ? 'there is none: check --eval-root' : cause instanceof Error ? cause.message : String(cause);
    throw new ImageError(code, image, `Expected a face to validate on at ${image} but ${why}.`, { cause });
  }
}

const fmr = 0.01;
const rejectRates = [0, 0.1, 0.2, 0.3];

/** Embeds every image and evaluates the pairs. @param batchSize - images embedded at a time */
export async function validate(
  trainer: Trainer,
  set: ValidationSet,
  epoch: number,
  batchSize = 64,
): Promise<ValidationRow> {
  const features = {
    values: await embedAll(trainer, set.images, batchSize),
    dimension: trainer.options.architecture.embeddingLength,
  };
  trimMemory(); // else the blocks of these batches are kept beside those of training, which are of other sizes
  const { accuracy, accuracyStd, auc, tarAtFar } = verify(features, set.pairs);
  const similarities = cosineSimilarities(features, set.pairs);
  const quality = pairQuality(magnitudesOf(features), set.pairs);
  const impostors = set.pairs.same.reduce((sum, same) => sum + 1 - same, 0);
  const rejectFnmr = canMeasure(fmr, impostors)
    ? errorVersusReject(similarities, set.pairs.same, quality, { fmr, rejectRates }).fnmr
    : rejectRates.map(() => null);
  return { epoch, accuracy, accuracyStd, auc, tarAtFar, rejectFnmr };
}

/** @returns (N, D) */
async function embedAll(trainer: Trainer, images: readonly string[], batchSize: number): Promise<Float32Array> {
  const dimension = trainer.options.architecture.embeddingLength;
  const values = new Float32Array(images.length * dimension);
  for (let start = 0; start < images.length; start += batchSize) {
    const part = images.slice(start, start + batchSize);
    const faces = new Uint8Array(part.length * faceBytes);
    for (const [i, path] of part.entries()) {
      await readFace(path, faces.subarray(i * faceBytes, (i + 1) * faceBytes));
    }
    values.set(trainer.embed(faces), start * dimension);
  }
  return values;
}
