/**
 * Fits a branch that gives a recogniser's features a new length: a linear function of the length that they had and of pooled feature
 * maps that predicts how recognisable a face is. Directions, and so the similarities of single faces, stay as they are.
 *
 * A face is as recognisable as its cosine to the mean of its person's other faces. The branch is fitted to that, on the scale of
 * the magnitudes that the model had: both have the same 1 % and 99 % quantiles. Unlike the targets of finetuning, which train a whole
 * network, these neither charge for damage nor clamp. With either, the branch ordered undamaged faces worse.
 */
import { ConfigError, ModelError } from '../../errors.ts';
import { magnitudesOf } from '../../eval/feature-set.ts';
import { spearman } from '../../eval/rank-correlation.ts';
import { makeReady, parseOnnx, writeOnnx } from '../../graph/onnx/file.ts';
import { addLengthBranch, type LengthBranch } from '../../graph/passes/length-branch.ts';
import type { LoadedModel } from '../../models/load-model.ts';
import { replaceRecord } from '../../models/with-contract.ts';
import type { Dataset } from '../data/samples.ts';
import { classSums, normalized, ownCosines } from '../finetune/directions.ts';
import { ViewReader } from '../finetune/view-reader.ts';
import { magnitudeQuantiles, recipeFor } from '../model/recipe.ts';
import { addMagnitude } from '../model/write-graph.ts';
import { type Pooled, pooledViews, type StudiedModel, type Tap, tapsOf } from './pooled-views.ts';
import { fitRidge, type LinearFit } from './ridge.ts';

export interface FitLengthOptions {
  /** Aligned faces of people with two or more each. */
  readonly dataset: Dataset;
  /** Most faces of a person, so that a few people do not decide. @default 32 */
  readonly perPerson?: number | undefined;
  /** Names of the feature maps that the branch reads. @default up to 16 results of the network's blocks, and the last map */
  readonly taps?: readonly string[] | undefined;
  /** See {@link fitRidge}. @default 0.1 */
  readonly ridge?: number | undefined;
  /** @default 1, which gives the same bits everywhere on one kind of processor */
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** @param done - faces done, out of `total` */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

export interface FittedLength {
  /** The model with its branch. Its record has no scale any more. */
  readonly bytes: Uint8Array;
  readonly faces: number;
  readonly people: number;
  /** Feature maps that the branch reads. */
  readonly taps: readonly string[];
  /** l_a and u_a. */
  readonly limits: readonly [number, number];
  /** Spearman's ρ with recognisability, on the faces of the fit: of the lengths before and of the new ones. */
  readonly order: { readonly before: number; readonly after: number };
}

/**
 * @throws {ConfigError} if no person has two faces, or a tap is not a feature map
 * @throws {ModelError} `model_untrainable` if the network has no feature maps
 */
export async function fitLength(loaded: LoadedModel<'recogniser'>, options: FitLengthOptions): Promise<FittedLength> {
  const { bytes, contract, name } = loaded;
  const model = parseOnnx(bytes, name);
  makeReady(model, name);
  const study = await studyFaces({ model, name, input: contract.input }, options); // leaves the model as it is
  const { weights, own, bias, limits, order } = fitStudy(study, options.ridge ?? 0.1);
  const taps: LengthBranch['taps'][number][] = [];
  let at = 0;
  for (const { value, channels } of study.taps) {
    taps.push({ value, weights: weights.subarray(at, at + channels) });
    at += channels;
  }
  addLengthBranch(model, { taps, own, bias, limits }, name);
  addMagnitude(model);
  const { calibration: _, weightsDigest: __, ...kept } = contract;
  replaceRecord(model, kept);
  const { labels, people } = study;
  const names = taps.map(({ value }) => value);
  return { bytes: writeOnnx(model, name), faces: labels.length, people, taps: names, limits, order };
}

/** Faces, and what the network says of them. */
interface FaceStudy extends Pooled {
  readonly taps: readonly Tap[];
  /** (N): people of the faces, from 0. */
  readonly labels: Int32Array;
  readonly people: number;
}

/** Runs the network on the faces. */
async function studyFaces(studied: StudiedModel, options: FitLengthOptions): Promise<FaceStudy> {
  const { dataset, perPerson = 32, threads = 1, signal, onProgress } = options;
  const taps = await tapsOf(studied, options.taps);
  if (taps.length === 0) {
    throw new ModelError('model_untrainable', studied.name, {
      expected: 'a network with feature maps',
      problem: `${studied.name} has none`,
      remedy: 'a length branch needs convolutions',
    });
  }
  const { samples, labels, people } = chosenFaces(dataset, perPerson);
  const requests = samples.map((sample) => ({ sample, augmentation: asItIs }));
  const reader = new ViewReader(dataset, 0);
  try {
    const values = taps.map(({ value }) => value);
    const told = (done: number): void => onProgress?.(done, requests.length);
    const found = await pooledViews(studied, requests, { taps: values, reader, threads, signal, onProgress: told });
    return { ...found, taps, labels, people };
  } finally {
    await reader.close();
  }
}

/** Faces moved a few pixels taught the branch nothing more: docs/model-card.md. */
const asItIs = { flipped: false, damages: [] } as const;

/** A branch in numbers. */
interface StudyFit extends LinearFit, Pick<FittedLength, 'limits' | 'order'> {
  /** Weight of the length that the features had. */
  readonly own: number;
}

/** Fits the lengths to recognisability, as far as the pooled maps tell. */
function fitStudy({ embeddings, pooled, labels, people }: FaceStudy, ridge: number): StudyFit {
  const own = recognisability(embeddings, labels, people);
  const magnitudes = magnitudesOf({ values: embeddings, dimension: embeddings.length / own.length });
  const had = magnitudeQuantiles(magnitudes);
  const { lowerMagnitude, upperMagnitude } = recipeFor(had, cosineScale);
  const { p1, p99 } = magnitudeQuantiles(own);
  const targets = own.map((cosine) => had.p1 + ((cosine - p1) / (p99 - p1)) * (had.p99 - had.p1));
  const columns = pooled.length / own.length + 1;
  const rows = Float32Array.from({ length: own.length * columns }, (_, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    return column === columns - 1 ? magnitudes[row]! : pooled[row * (columns - 1) + column]!;
  });
  const { weights, bias } = fitRidge({ rows, targets, free: 1 }, ridge);
  const lengths = targets.map((_, row) => {
    let sum = bias;
    for (const [i, weight] of weights.entries()) sum += weight * rows[row * columns + i]!;
    return Math.min(upperMagnitude, Math.max(lowerMagnitude, sum));
  });
  const order = { before: spearman(magnitudes, own), after: spearman(lengths, own) };
  const [ofMaps, ofLength] = [weights.subarray(0, -1), weights.at(-1)!];
  return { weights: ofMaps, own: ofLength, bias, limits: [lowerMagnitude, upperMagnitude], order };
}

/** MagFace's usual scale of cosines. l_a and u_a do not depend on it. */
const cosineScale = 64;

/** Faces by their place in the dataset. */
interface ChosenFaces {
  readonly samples: readonly number[];
  /** (N): people, numbered anew. */
  readonly labels: Int32Array;
  readonly people: number;
}

/** The first faces of each person who has at least two. */
function chosenFaces(dataset: Dataset, perPerson: number): ChosenFaces {
  const byPerson = new Map<number, number[]>();
  for (let i = 0; i < dataset.samples.length; i++) {
    const { label } = dataset.samples.at(i)!;
    const faces = byPerson.get(label) ?? [];
    byPerson.set(label, faces);
    if (faces.length < perPerson) faces.push(i);
  }
  const groups = [...byPerson.values()].filter((faces) => faces.length > 1);
  if (groups.length === 0) {
    throw new ConfigError('train-list', {
      expected: 'people with two faces or more, from which recognisability is measured,',
      received: 'none',
      remedy: 'add faces',
    });
  }
  const samples = groups.flat();
  const labels = Int32Array.from(groups.flatMap((faces, label) => faces.map(() => label)));
  return { samples, labels, people: groups.length };
}

/** (N): cosines to the person's other faces. */
function recognisability(embeddings: Float32Array, labels: Int32Array, classes: number): Float32Array {
  const directions = normalized({ values: embeddings, dimension: embeddings.length / labels.length });
  return ownCosines(directions, directions, { labels, sums: classSums(directions, labels, classes) });
}
