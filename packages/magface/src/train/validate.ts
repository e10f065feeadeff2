/** How good the model is now: verification and error versus reject on pairs of people it was not trained on. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { trimMemory } from '@magface/torch';
import { ConfigError } from '../errors.ts';
import { magnitudesOf } from '../eval/feature-set.ts';
import { readPairList } from '../eval/pair-list.ts';
import { errorVersusReject, pairQuality } from '../eval/reject.ts';
import { canMeasure } from '../eval/roc.ts';
import { cosineSimilarities, type Pairs, verify } from '../eval/verification.ts';
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

/** @param root - folder that names are relative to @default the current one, else the list's */
export async function readValidationSet(file: string, root?: string): Promise<ValidationSet> {
  const { left, right, same } = await readPairList(file);
  const [first = ''] = left;
  const base = [root ?? '.', dirname(file)].find((folder) => existsSync(join(folder, first)));
  if (first === '' || base === undefined) {
    throw new ConfigError(
      'evalRoot',
      `Expected the images of ${file} in ${root ?? 'the current folder or beside the list'} but "${first}" is not there: give their folder with --eval-root.`,
    );
  }
  const rows = new Map<string, number>();
  const rowOf = (name: string): number => {
    const row = rows.get(name) ?? rows.size;
    rows.set(name, row);
    return row;
  };
  const pairs = { left: Uint32Array.from(left, rowOf), right: Uint32Array.from(right, rowOf), same };
  return { images: [...rows.keys()].map((name) => join(base, name)), pairs };
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
      await decodeSample(path, faces.subarray(i * faceBytes, (i + 1) * faceBytes), false);
    }
    values.set(trainer.embed(faces), start * dimension);
  }
  return values;
}
