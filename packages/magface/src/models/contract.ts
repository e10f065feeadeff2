/**
 * The contract of a model: how pixels become its input and what its output means. A model file stores it in ONNX
 * `metadata_props`, a key `magface.FIELD` with a JSON value per field. The registry has it for other files.
 */
import { z } from 'zod';
import { ModelError } from '../errors.ts';
import { visibleReasons } from '../face.ts';
import type { LikelihoodModel } from '../likelihood-ratio.ts';
import type { Calibration } from '../quality.ts';

const triple = z.tuple([z.number(), z.number(), z.number()]);

/** A value of the input tensor is `(pixel - mean) * scale` for each channel, in the model's own channel order. */
const inputFields = {
  layout: z.enum(['NCHW', 'NHWC']).default('NCHW'),
  channelOrder: z.enum(['RGB', 'BGR']),
  mean: triple,
  scale: triple,
};

const licence = z.strictObject({
  /** SPDX identifier of the weights' licence, or `LicenseRef-...`. */
  spdx: z.string(),
  /** What the weights were trained on, and the consequences. */
  notice: z.string(),
});

const remedyRow = z.strictObject({ from: z.number(), with: z.number(), without: z.number(), kept: z.number() });

const calibration = z.strictObject({
  centre: z.number(),
  width: z.number().positive(),
  widthBelow: z.number().positive().optional(),
  remedies: z.partialRecord(z.enum(visibleReasons), z.array(remedyRow)).optional(),
  source: z.string(),
});

const threshold = z.strictObject({
  /** False match rate at the threshold. */
  fmr: z.number().positive().lt(1),
  /** Least cosine similarity of a match. */
  threshold: z.number().min(-1).max(1),
  /** The pairs it was measured on. */
  set: z.string(),
  /** Ends of its 95 % interval, by a bootstrap over people. */
  interval: z.tuple([z.number(), z.number()]).optional(),
});

const pair = z.tuple([z.number(), z.number()]);

const likelihood = z.strictObject({
  weights: z.tuple([z.number(), z.number(), z.number(), z.number()]),
  covariance: z.array(z.number()).length(10),
  magnitudes: pair,
  ratios: pair,
  agreement: pair.optional(),
  common: z.base64().optional(),
  source: z.string(),
});

const recogniser = z.strictObject({
  kind: z.literal('recogniser'),
  arch: z.string().optional(),
  input: z.strictObject({ width: z.literal(112), height: z.literal(112), ...inputFields }),
  /** Where alignment puts the five landmarks. */
  template: z.literal('arcface-112').default('arcface-112'),
  embeddingLength: z.int().positive(),
  calibration: calibration.optional(),
  thresholds: z.array(threshold).optional(),
  likelihood: likelihood.optional(),
  licence: licence.optional(),
  /** SHA-256 over names, types, shapes and values of the weights; it stays the same when only metadata change. */
  weightsDigest: z.string().optional(),
});

const detector = z.strictObject({
  kind: z.literal('detector'),
  arch: z.string().optional(),
  /** How its outputs are decoded. */
  decoder: z.enum(['yunet', 'blazeface']),
  /** Width and height are absent if any size fits. */
  input: z.strictObject({
    width: z.int().positive().optional(),
    height: z.int().positive().optional(),
    ...inputFields,
  }),
  licence: licence.optional(),
});

const aligner = z.strictObject({
  kind: z.literal('aligner'),
  arch: z.string().optional(),
  input: z.strictObject({ width: z.int().positive(), height: z.int().positive(), ...inputFields }),
  licence: licence.optional(),
});

const landmarker = z.strictObject({
  kind: z.literal('landmarker'),
  arch: z.string().optional(),
  input: z.strictObject({ width: z.literal(112), height: z.literal(112), ...inputFields }),
  licence: licence.optional(),
});

/** How 8-bit pixels become the input tensor. */
export interface InputContract {
  readonly layout: 'NCHW' | 'NHWC';
  readonly channelOrder: 'RGB' | 'BGR';
  readonly mean: readonly [number, number, number];
  readonly scale: readonly [number, number, number];
  /** Absent if any size fits. */
  readonly width?: number | undefined;
  readonly height?: number | undefined;
}

interface CommonContract {
  readonly arch?: string | undefined;
  readonly licence?: { readonly spdx: string; readonly notice: string } | undefined;
}

/** The input of a recogniser, and the meaning of its embedding. */
export interface RecogniserContract extends CommonContract {
  readonly kind: 'recogniser';
  readonly input: InputContract & { readonly width: number; readonly height: number };
  readonly template: 'arcface-112';
  readonly embeddingLength: number;
  readonly calibration?: Calibration | undefined;
  readonly thresholds?: readonly Threshold[] | undefined;
  readonly likelihood?: LikelihoodModel | undefined;
  readonly weightsDigest?: string | undefined;
}

/** Least cosine similarity of a match at a false match rate, and the pairs it was measured on. */
export interface Threshold {
  readonly fmr: number;
  readonly threshold: number;
  readonly set: string;
  readonly interval?: readonly [low: number, high: number] | undefined;
}

/** The input of a detector, and how its outputs are decoded. */
export interface DetectorContract extends CommonContract {
  readonly kind: 'detector';
  readonly decoder: 'yunet' | 'blazeface';
  readonly input: InputContract;
}

/** The input of an aligner; `infer/aligner.ts` describes its outputs. */
export interface AlignerContract extends CommonContract {
  readonly kind: 'aligner';
  readonly input: InputContract & { readonly width: number; readonly height: number };
}

/** The input of a network of landmarks; `eval/methods/landmarks.ts` describes its output. */
export interface LandmarkerContract extends CommonContract {
  readonly kind: 'landmarker';
  readonly input: InputContract & { readonly width: number; readonly height: number };
}

/** The contract of any kind of model. */
export type ModelContract = RecogniserContract | DetectorContract | AlignerContract | LandmarkerContract;
/** `recogniser`, `detector`, `aligner` or `landmarker`. */
export type ModelKind = ModelContract['kind'];
/** The contract of a kind: `ContractOf<'recogniser'>`. */
export type ContractOf<Kind extends ModelKind> = Extract<ModelContract, { readonly kind: Kind }>;

/** All kinds; the registry's entries hold one. */
export const contractSchema: z.ZodType<ModelContract> = z.discriminatedUnion('kind', [
  recogniser,
  detector,
  aligner,
  landmarker,
]);

/** The official preprocessing, assumed for a recogniser without a contract: BGR, pixel / 255. */
export const officialInput: InputContract & { readonly width: number; readonly height: number } = {
  width: 112,
  height: 112,
  layout: 'NCHW',
  channelOrder: 'BGR',
  mean: [0, 0, 0],
  scale: [1 / 255, 1 / 255, 1 / 255],
};

const prefix = 'magface.';

/**
 * @param metadata - of a model file
 * @returns its contract fields, not yet validated; empty if it has none
 * @throws {ModelError} `model_wrong_contract` if a value is not JSON
 */
export function contractFields(metadata: ReadonlyMap<string, string>, model: string): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const [key, value] of metadata) {
    if (!key.startsWith(prefix)) continue;
    try {
      fields[key.slice(prefix.length)] = JSON.parse(value);
    } catch (cause) {
      throw new ModelError(
        'model_wrong_contract',
        model,
        {
          expected: `JSON in the metadata "${key}" of ${model}`,
          received: `"${value.slice(0, 40)}"`,
          remedy: 'write the model again with `magface calibrate` or `magface convert`',
        },
        { cause },
      );
    }
  }
  return fields;
}

/** @returns the contract as metadata, by key. */
export function contractMetadata(contract: ModelContract): Map<string, string> {
  const fields = Object.entries(contract).filter(([, value]) => value !== undefined);
  return new Map(fields.map(([field, value]) => [prefix + field, JSON.stringify(value)]));
}

/**
 * @param fields - from the file, the registry and assumptions
 * @throws {ModelError} `model_wrong_contract` naming every invalid field
 */
export function parseContract(fields: unknown, model: string): ModelContract {
  const parsed = contractSchema.safeParse(fields);
  if (parsed.success) return parsed.data;
  const wrong = parsed.error.issues.map((issue) => describeIssue(issue, fields)).join('; ');
  throw new ModelError('model_wrong_contract', model, {
    expected: `a complete record of ${model}`,
    problem: wrong,
    remedy: 'correct the record (see `magface convert --help` and "Models" in the README)',
  });
}

/** `input.mean is missing`, `input.channelOrder must be "RGB" or "BGR", not "GBR"`. */
function describeIssue(issue: z.core.$ZodIssue, fields: unknown): string {
  const key = issue.path.join('.') || 'the record';
  const value = issue.path.reduce<unknown>(
    (at, part) => (typeof at === 'object' && at !== null ? (at as Record<PropertyKey, unknown>)[part] : undefined),
    fields,
  );
  const found = JSON.stringify(value)?.slice(0, 40);
  switch (issue.code) {
    case 'unrecognized_keys':
      return `${key} has an unknown field: ${issue.keys.join(', ')}`;
    case 'invalid_union':
      return `kind must be "recogniser", "detector", "aligner" or "landmarker"`;
    case 'invalid_value':
      return found === undefined
        ? `${key} is missing: ${issue.values.map((one) => JSON.stringify(one)).join(' or ')}`
        : `${key} must be ${issue.values.map((one) => JSON.stringify(one)).join(' or ')}, not ${found}`;
    case 'invalid_type': {
      const type = issue.expected === 'tuple' ? 'three numbers' : `a value of type ${issue.expected}`;
      return found === undefined ? `${key} is missing: ${type}` : `${key} must be ${type}, not ${found}`;
    }
    case 'too_small':
    case 'too_big':
      if (issue.origin === 'array') return `${key} must be three numbers, not ${found}`;
      return `${key} is ${found}: ${issue.message.toLowerCase()}`;
    default:
      return `${key} is ${found ?? 'missing'}: ${issue.message.toLowerCase()}`;
  }
}
