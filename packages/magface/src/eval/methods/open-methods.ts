/** Opens quality methods by name. */
import type { AnalyzedFace } from '../../face.ts';
import { createEmbedder } from '../../infer/node/engine.ts';
import type { Engine } from '../../infer/node/tuning.ts';
import { type LoadedModel, type LoadModelOptions, loadModel } from '../../models/load-model.ts';
import { components } from './components.ts';
import { flipConsistency, shiftConsistency } from './consistency.ts';
import { dropoutSpread, pruningDrift, roundingDrift } from './drift.ts';
import { isLandmarkComponent, type LandmarkComponentName, landmarkMethod } from './landmark-components.ts';
import { type Landmarker, openLandmarker } from './landmarker.ts';
import { plainMethod, type QualityMethod } from './method.ts';
import { expectMethod, isComponent, isNetworkMethod, type NetworkMethod, otherModel } from './method-names.ts';
import { isVisibleComponent, visibleComponent } from './visible-components.ts';

/** What methods are made from; a `MagFace` has it. */
export interface MethodParts {
  readonly model: LoadedModel<'recogniser'>;
  readonly engine: Engine;
}

type Fetching = Omit<LoadModelOptions, 'kind'>;

type Opener = (parts: MethodParts) => Promise<QualityMethod>;

type OtherNetworkMethod = Exclude<NetworkMethod, LandmarkComponentName>;

const openers: Readonly<Record<OtherNetworkMethod, Opener>> = {
  magnitude: async () => plainMethod('magnitude', ({ magnitude }) => magnitude),
  detector: async () => plainMethod('detector', ({ detection }) => detection),
  size: async () => plainMethod('size', ({ box }) => Math.min(box.width, box.height)),
  pruning: ({ model, engine }) => pruningDrift(model, engine),
  int8: ({ model, engine }) => roundingDrift(model, engine),
  flip: async ({ model, engine }) => flipConsistency(await createEmbedder(model, engine)),
  shift: async ({ model, engine }) => shiftConsistency(await createEmbedder(model, engine)),
  dropout: ({ model, engine }) => dropoutSpread(model, engine),
};

/**
 * @param name - one of `methodNames`, or `magnitude:MODEL` for the magnitude of another recogniser
 * @param parts - the recogniser whose embeddings are compared; a `MagFace` will do
 * @throws {ConfigError} for another name
 * @throws {ModelError} `method_unfit` if the recogniser is not made for the method
 *
 * @example Pruning drift beside the magnitude
 * ```ts
 * import { MagFace } from 'magface';
 * import { openMethod } from 'magface/eval';
 *
 * await using magface = await MagFace.load();
 * await using pruning = await openMethod('pruning', magface);
 * const faces = await magface.analyze('ann.jpg');
 * const drifts = await pruning.measure(faces);
 * console.log(faces.map(({ magnitude }, i) => [magnitude, drifts[i]]));
 * ```
 */
export async function openMethod(name: string, parts: MethodParts, options: Fetching = {}): Promise<QualityMethod> {
  expectMethod(name);
  if (isLandmarkComponent(name)) {
    const landmarker = await openLandmarker(parts.engine, options);
    return { ...landmarkMethod(name, landmarker), [Symbol.asyncDispose]: () => landmarker[Symbol.asyncDispose]() };
  }
  if (isNetworkMethod(name)) return openers[name as OtherNetworkMethod](parts);
  if (isComponent(name)) return plainMethod(name, (face) => components[name](face).score);
  if (isVisibleComponent(name)) return plainMethod(name, (face) => visibleComponent(name, face).score);
  const model = await loadModel(name.slice(otherModel.length), { ...options, kind: 'recogniser' });
  return magnitudeBy(name, model, parts.engine);
}

async function magnitudeBy(name: string, model: LoadedModel<'recogniser'>, engine: Engine): Promise<QualityMethod> {
  const embedder = await createEmbedder(model, { ...engine, name: 'onnx' });
  return {
    name,
    measure: async (faces) => (await embedder.embed(faces.map(({ crop }) => crop))).map(({ magnitude }) => magnitude),
    [Symbol.asyncDispose]: () => embedder[Symbol.asyncDispose](),
  };
}

/** Several methods as one. */
export interface OpenedMethods extends AsyncDisposable {
  /** @returns (N) each face's values by method */
  measure(faces: readonly AnalyzedFace[]): Promise<Record<string, number>[]>;
}

/** Opens all methods, or none if one cannot be opened. */
export async function openMethods(names: readonly string[], parts: MethodParts): Promise<OpenedMethods> {
  const methods: QualityMethod[] = [];
  let landmarker: Landmarker | undefined;
  const close = async (): Promise<void> => {
    for (const method of methods) await method[Symbol.asyncDispose]();
    await landmarker?.[Symbol.asyncDispose]();
  };
  const open = async (name: string): Promise<QualityMethod> => {
    if (!isLandmarkComponent(name)) return openMethod(name, parts);
    landmarker ??= await openLandmarker(parts.engine);
    return landmarkMethod(name, landmarker);
  };
  try {
    for (const name of names) methods.push(await open(name));
  } catch (error) {
    await close();
    throw error;
  }
  return {
    measure: async (faces) => {
      const values = faces.map((): Record<string, number> => ({}));
      for (const method of methods) {
        for (const [i, value] of (await method.measure(faces)).entries()) values[i]![method.name] = value;
      }
      return values;
    },
    [Symbol.asyncDispose]: close,
  };
}
