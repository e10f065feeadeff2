/** Validates the model: verification and error versus reject on pairs of people outside the training set. */
import { type Tensor, trimMemory } from '@magface/torch';
import { ConfigError, firstLine, ImageError, ShapeError } from '../../errors.ts';
import { magnitudesOf } from '../../eval/feature-set.ts';
import { readPairList } from '../../eval/pair-list.ts';
import { errorVersusReject, pairQuality } from '../../eval/reject.ts';
import { canMeasure } from '../../eval/roc.ts';
import { cosineSimilarities, type Pairs, verify } from '../../eval/verification.ts';
import { inRoot, rootOf } from '../data/dataset.ts';
import { decodeSample, faceBytes } from '../data/decode-sample.ts';
import { Ranks } from '../parallel/ranks.ts';
import { type Rank, shareOf } from '../parallel/shares.ts';

/** A model to validate. */
export interface Validated {
  readonly ranks: Ranks;
  /** State that each training pass changes besides weights. */
  readonly statistics: readonly Tensor[];
  /** Moving means of that state, if `embed` uses them. @default none */
  readonly meanStatistics?: readonly Tensor[];
  /** D */
  readonly embeddingLength: number;
  /** @param faces - (N, 112, 112, 3) uint8, BGR @returns (N, D): features, not normalized */
  embed(faces: Uint8Array): Float32Array;
}

/** Images and the pairs among them. */
export interface ValidationSet {
  readonly images: readonly string[];
  readonly pairs: Pairs;
}

/** A row of `validation.jsonl`. */
export interface ValidationRow {
  /** Completed epochs. */
  readonly epoch: number;
  /** Accuracy under the official 10-fold protocol. */
  readonly accuracy: number;
  readonly accuracyStd: number;
  readonly auc: number;
  readonly tarAtFar: Readonly<Record<string, number>>;
  /** FNMR at FMR 1e-2 when the lowest 0, 10, 20, 30 % of pairs by magnitude are rejected; null with few pairs. */
  readonly rejectFnmr: readonly (number | null)[];
}

export interface ReadValidationOptions {
  /** Folder that names are relative to. @default the current one, else the list's */
  readonly root?: string | undefined;
  /** This process's share of the images, when several train together. @default all */
  readonly part?: Rank | undefined;
}

/**
 * Reads the list, and every image once, so that a run does not find one missing only after its first epoch.
 *
 * @throws {ConfigError} if the list names no images, or the first is not in the root
 * @throws {ImageError} naming an image that cannot be used
 */
export async function readValidationSet(file: string, options: ReadValidationOptions = {}): Promise<ValidationSet> {
  const { left, right, same } = await readPairList(file);
  if ([...left, ...right].includes('')) {
    throw new ConfigError('eval-pairs', {
      expected: 'a list of pairs with image names',
      problem: `${file} has only labels`,
      remedy: 'add the names',
    });
  }
  const base = rootOf(file, left[0]!, { root: options.root, key: 'eval-root' });
  const rows = new Map<string, number>();
  const rowOf = (name: string): number => {
    const row = rows.get(name) ?? rows.size;
    rows.set(name, row);
    return row;
  };
  const pairs = { left: Uint32Array.from(left, rowOf), right: Uint32Array.from(right, rowOf), same };
  const images = [...rows.keys()].map((name) => inRoot(base, name));
  const face = new Uint8Array(faceBytes);
  const { first, count } = shareOf(images.length, options.part ?? new Ranks());
  for (const image of images.slice(first, first + count)) await readFace(image, face);
  return { images, pairs };
}

/** @throws {ImageError} */
async function readFace(image: string, into: Uint8Array): Promise<void> {
  try {
    await decodeSample(image, into, false);
  } catch (cause) {
    const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const code = cause instanceof ShapeError ? 'image_wrong_size' : isMissing ? 'image_missing' : 'image_unreadable';
    const [problem, remedy] = isMissing
      ? ['is missing', 'check --eval-root']
      : [`cannot be used (${firstLine(cause)})`, 'replace the image, or remove its pairs'];
    throw new ImageError(
      code,
      image,
      { expected: 'a face to validate on', subject: image, problem, remedy },
      { cause },
    );
  }
}

const fmr = 0.01;
const rejectRates = [0, 0.1, 0.2, 0.3];

/**
 * Embeds every image and evaluates the pairs. Ranks call it together, embed a part each, and all get the same row. No rank
 * waits for another longer than a batch takes, regardless of the number of images.
 *
 * @param batchSize - images that a process embeds at once
 */
export async function validate(
  trainer: Validated,
  set: ValidationSet,
  epoch: number,
  batchSize = 64,
): Promise<ValidationRow> {
  agreeOnStatistics(trainer);
  const features = {
    values: await embedAll(trainer, set.images, batchSize),
    dimension: trainer.embeddingLength,
  };
  trimMemory(); // otherwise blocks of these batch sizes would stay cached beside those of training
  const { accuracy, accuracyStd, auc, tarAtFar } = verify(features, set.pairs);
  const similarities = cosineSimilarities(features, set.pairs);
  const quality = pairQuality(magnitudesOf(features), set.pairs);
  const impostors = set.pairs.same.reduce((sum, same) => sum + 1 - same, 0);
  const rejectFnmr = canMeasure(fmr, impostors)
    ? errorVersusReject(similarities, set.pairs.same, quality, { fmr, rejectRates }).fnmr
    : rejectRates.map(() => null);
  return { epoch, accuracy, accuracyStd, auc, tarAtFar, rejectFnmr };
}

/**
 * Makes the network equal on all ranks: if each computes BatchNorm's statistics on its own batches, the first rank's are
 * used, as in checkpoints. Training does not read them.
 */
export function agreeOnStatistics({
  statistics,
  meanStatistics = [],
  ranks: { group, syncBatchNorm },
}: Pick<Validated, 'ranks' | 'statistics' | 'meanStatistics'>): void {
  if (group === undefined || syncBatchNorm) return;
  for (const tensor of [...statistics, ...meanStatistics]) group.broadcast(tensor);
}

/** @returns (N, D), equal on every rank */
async function embedAll(trainer: Validated, images: readonly string[], batchSize: number): Promise<Float32Array> {
  const { embeddingLength: dimension, ranks } = trainer;
  const values = new Float32Array(images.length * dimension);
  for (let start = 0; start < images.length; start += ranks.size * batchSize) {
    const share = shareOf(Math.min(ranks.size * batchSize, images.length - start), ranks);
    const first = start + share.first;
    const own = await embedPart(trainer, images.slice(first, first + share.count));
    values.set(ranks.gatherValues(own, dimension, share), start * dimension);
  }
  return values;
}

/** @returns (n, D) */
async function embedPart(trainer: Validated, images: readonly string[]): Promise<Float32Array> {
  if (images.length === 0) return new Float32Array();
  const faces = new Uint8Array(images.length * faceBytes);
  for (const [i, path] of images.entries()) {
    await readFace(path, faces.subarray(i * faceBytes, (i + 1) * faceBytes));
  }
  return trainer.embed(faces);
}
