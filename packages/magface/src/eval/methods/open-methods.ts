/** Opens quality methods by name. */
import { ConfigError } from '../../errors.ts';
import type { AnalyzedFace } from '../../face.ts';
import { createEmbedder } from '../../infer/node/engine.ts';
import type { Engine } from '../../infer/node/tuning.ts';
import { type LoadedModel, type LoadModelOptions, loadModel } from '../../models/load-model.ts';
import { type ComponentName, componentNames, components } from './components.ts';
import { flipConsistency, shiftConsistency } from './consistency.ts';
import { dropoutSpread, pruningDrift, roundingDrift } from './drift.ts';
import { plainMethod, type QualityMethod } from './method.ts';

/** What methods are made from; a `MagFace` has it. */
export interface MethodParts {
  readonly model: LoadedModel<'recogniser'>;
  readonly engine: Engine;
}

export interface MethodEntry {
  /** What it measures, for reports. */
  readonly what: string;
  /** The same in 60 characters, for help. */
  readonly short: string;
  readonly open: (parts: MethodParts) => Promise<QualityMethod>;
}

/** A built-in method's name. */
export type MethodName = ComponentName | NetworkMethod;

type NetworkMethod = 'magnitude' | 'detector' | 'size' | 'pruning' | 'int8' | 'flip' | 'shift' | 'dropout';

/** The methods that compare embeddings, and the detector's. */
const networkMethods: Readonly<Record<NetworkMethod, MethodEntry>> = {
  magnitude: {
    what: "length of the recogniser's embedding",
    short: 'length of the embedding; always measured',
    open: async () => plainMethod('magnitude', ({ magnitude }) => magnitude),
  },
  detector: {
    what: "the detector's confidence",
    short: 'the detector’s confidence',
    open: async () => plainMethod('detector', ({ detection }) => detection),
  },
  size: {
    what: "shorter side of the face's box in the photo",
    short: 'shorter side of the face’s box',
    open: async () => plainMethod('size', ({ box }) => Math.min(box.width, box.height)),
  },
  pruning: {
    what: 'cosine with the embedding of the network without its smallest 40 % of weights',
    short: 'drift when 40 % of the weights are pruned',
    open: ({ model, engine }) => pruningDrift(model, engine),
  },
  int8: {
    what: 'cosine with the embedding of the network with weights of 8 bits',
    short: 'drift when weights are rounded to 8 bits',
    open: ({ model, engine }) => roundingDrift(model, engine),
  },
  flip: {
    what: 'cosine with the embedding of the mirror image',
    short: 'likeness to the mirror image',
    open: async ({ model, engine }) => flipConsistency(await createEmbedder(model, engine)),
  },
  shift: {
    what: 'mean cosine with crops that are moved by two pixels',
    short: 'likeness to crops moved by two pixels',
    open: async ({ model, engine }) => shiftConsistency(await createEmbedder(model, engine)),
  },
  dropout: {
    what: "SER-FIQ's idea: closeness of 100 embeddings, each from half of the last layer's input",
    short: 'closeness of 100 embeddings by dropout, as SER-FIQ',
    open: ({ model, engine }) => dropoutSpread(model, engine),
  },
};

/** The methods by name. */
export const methodEntries: Readonly<Record<MethodName, MethodEntry>> = {
  ...networkMethods,
  ...(Object.fromEntries(
    componentNames.map((name): [string, MethodEntry] => [
      name,
      {
        what: `component of ISO/IEC 29794-5, from five landmarks and the crop: no conformance`,
        short: 'component of ISO/IEC 29794-5',
        open: async () => plainMethod(name, (face) => components[name](face).score),
      },
    ]),
  ) as Record<ComponentName, MethodEntry>),
};

export const methodNames: readonly MethodName[] = Object.keys(methodEntries) as MethodName[];

/** Prefix of the magnitude of another recogniser: `magnitude:MODEL`. */
const otherModel = 'magnitude:';

/**
 * @param name - one of {@link methodNames}, or `magnitude:MODEL` for the magnitude of another recogniser
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
export async function openMethod(
  name: string,
  parts: MethodParts,
  options: Omit<LoadModelOptions, 'kind'> = {},
): Promise<QualityMethod> {
  const entry = Object.hasOwn(methodEntries, name) ? methodEntries[name as MethodName] : undefined;
  if (entry !== undefined) return entry.open(parts);
  if (name.startsWith(otherModel)) {
    const model = await loadModel(name.slice(otherModel.length), { ...options, kind: 'recogniser' });
    return magnitudeBy(name, model, parts.engine);
  }
  const message = `Expected a quality method but received ${name}: choose from ${methodNames.join(', ')}, or give magnitude:MODEL for the magnitude of another recogniser.`;
  throw new ConfigError('method', message);
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
  const close = async (): Promise<void> => {
    for (const method of methods) await method[Symbol.asyncDispose]();
  };
  try {
    for (const name of names) methods.push(await openMethod(name, parts));
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
