/**
 * Eyes open and mouth closed, two components of ISO/IEC 29794-5, by OFIQ's formulas from 68 landmarks of the aligned crop:
 *
 *     T = distance from the middle of the eyes to the chin
 *     eyes    min over both eyes of the widest pair of lids / T     score 100 σ(x; 0.02, 0.01)
 *     mouth   widest pair of inner lips / T                         score 100 (1 − σ(x; 0.2, 0.06))
 *
 * This is no conformance: OFIQ has 98 landmarks of another network, in the photo.
 *
 * @see ISO/IEC 29794-5:2025; OFIQ, https://github.com/BSI-OFIQ/OFIQ-Project
 */
import type { Point } from '../../face.ts';
import { createEmbedder } from '../../infer/node/engine.ts';
import type { Engine } from '../../infer/node/tuning.ts';
import { type LoadedModel, type LoadModelOptions, loadModel } from '../../models/load-model.ts';
import type { Pixels } from '../../pixels.ts';
import type { Component } from './components.ts';
import { sigma } from './components.ts';
import type { QualityMethod } from './method.ts';

/** The components by the standard's names. */
export type EyesAndMouthName = 'eyes-open' | 'mouth-closed';

/** The registry's id of the network of landmarks. */
export const landmarksModel = 'face-landmarks';
const points = 68;

// Numbers of points in the markup of Multi-PIE, from 0.
const chin = 8;
const corners = [36, 39, 42, 45] as const;
const rightLids = [
  [37, 41],
  [38, 40],
] as const;
const leftLids = [
  [43, 47],
  [44, 46],
] as const;
const innerLips = [
  [61, 67],
  [62, 66],
  [63, 65],
] as const;

/** OFIQ's map from each raw value to 0 to 100. */
export const eyesAndMouthScores: Readonly<Record<EyesAndMouthName, (raw: number) => number>> = {
  'eyes-open': (raw) => 100 * sigma(raw, 0.02, 0.01),
  'mouth-closed': (raw) => 100 * (1 - sigma(raw, 0.2, 0.06)),
};

/** @param landmarks - (68) points in the markup of Multi-PIE, in any unit */
export function eyesAndMouth(name: EyesAndMouthName, landmarks: readonly Point[]): Component {
  const distance = ([ax, ay]: Point, [bx, by]: Point): number => Math.hypot(ax - bx, ay - by);
  const widest = (pairs: readonly (readonly [number, number])[]): number =>
    Math.max(...pairs.map(([a, b]) => distance(landmarks[a]!, landmarks[b]!)));
  const mean = (axis: 0 | 1): number => corners.reduce((sum, corner) => sum + landmarks[corner]![axis] / 4, 0);
  const height = distance([mean(0), mean(1)], landmarks[chin]!);
  const open = name === 'eyes-open' ? Math.min(widest(rightLids), widest(leftLids)) : widest(innerLips);
  const raw = open / height;
  return { raw, score: eyesAndMouthScores[name](raw) };
}

/** Finds landmarks, once for each crop, so that both components share a run of the network. */
export interface Landmarker extends AsyncDisposable {
  /** @returns (N, 68) points as shares of the crop's side */
  find(crops: readonly Pixels[]): Promise<readonly (readonly Point[])[]>;
}

/** Opens the package's network of landmarks. */
export async function openLandmarker(
  engine: Engine,
  options: Omit<LoadModelOptions, 'kind'> = {},
): Promise<Landmarker> {
  const model = await loadModel(landmarksModel, { ...options, kind: 'landmarker' });
  const embedder = await createEmbedder(asRecogniser(model), { ...engine, name: 'onnx' });
  const known = new WeakMap<Pixels, readonly Point[]>();
  return {
    find: async (crops) => {
      const missing = crops.filter((crop) => !known.has(crop));
      const found = missing.length === 0 ? [] : await embedder.embed(missing);
      for (const [i, { embedding }] of found.entries()) known.set(missing[i]!, pointsOf(embedding));
      return crops.map((crop) => known.get(crop)!);
    },
    [Symbol.asyncDispose]: () => embedder[Symbol.asyncDispose](),
  };
}

export const isEyesAndMouth = (name: string): name is EyesAndMouthName => Object.hasOwn(eyesAndMouthScores, name);

/** The component as a method, which does not own the landmarker. */
export const eyesAndMouthMethod = (name: EyesAndMouthName, landmarker: Landmarker): QualityMethod => ({
  name,
  measure: async (faces) => {
    const found = await landmarker.find(faces.map(({ crop }) => crop));
    return found.map((points) => eyesAndMouth(name, points).score);
  },
  [Symbol.asyncDispose]: async () => undefined,
});

/** A network of landmarks runs as a recogniser does: crops in, a row of numbers out. */
function asRecogniser({ contract, ...model }: LoadedModel<'landmarker'>): LoadedModel<'recogniser'> {
  const { input } = contract;
  return { ...model, contract: { kind: 'recogniser', input, template: 'arcface-112', embeddingLength: 2 * points } };
}

/** @param shares - (136) x and y of each point, as shares of the crop's side */
const pointsOf = (shares: Float32Array): Point[] =>
  Array.from({ length: points }, (_, i) => [shares[2 * i]!, shares[2 * i + 1]!]);
