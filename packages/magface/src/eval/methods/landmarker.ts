/** The package's network of 68 landmarks, for components that need lids, lips or the chin. */
import type { Point } from '../../face.ts';
import { createEmbedder } from '../../infer/node/engine.ts';
import type { Engine } from '../../infer/node/tuning.ts';
import { type LoadedModel, type LoadModelOptions, loadModel } from '../../models/load-model.ts';
import type { Pixels } from '../../pixels.ts';

/** The registry's id of the network of landmarks. */
export const landmarksModel = 'face-landmarks';
const points = 68;

/** Finds landmarks, once for each crop, so that all components share a run of the network. */
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

/** A network of landmarks runs as a recogniser does: crops in, a row of numbers out. */
function asRecogniser({ contract, ...model }: LoadedModel<'landmarker'>): LoadedModel<'recogniser'> {
  const { input } = contract;
  return { ...model, contract: { kind: 'recogniser', input, template: 'arcface-112', embeddingLength: 2 * points } };
}

/** @param shares - (136) x and y of each point, as shares of the crop's side */
const pointsOf = (shares: Float32Array): Point[] =>
  Array.from({ length: points }, (_, i) => [shares[2 * i]!, shares[2 * i + 1]!]);
