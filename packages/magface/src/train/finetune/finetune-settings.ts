/** The settings that finetuning an ONNX model has beside those of every run, and its own defaults for the latter. */
import { z } from 'zod';
import { damageNames } from './views.ts';

/** What fine-tuning of a model of one's own adds to the settings of training. */
export interface FinetuneSettings {
  /** Weights and nodes whose names begin so stay as they are. @default none */
  readonly freeze: readonly string[];
  /** Only the last so many convolutions and linear layers are trained. @default all */
  readonly trainLast?: number | undefined;
  /** `auto`: the constants of the loss by the rule of recipe.ts. @default auto, unless one of them is given */
  readonly recipe: 'auto' | 'given';
  /** Where class centres start: at each person's mean feature, so that the first step does no harm, or anywhere. @default 'mean' */
  readonly centers: 'mean' | 'random';
  /** κ, of staying near the starting model's directions. @default 50 */
  readonly keepWeight: number;
  /** ω, of the magnitude's distance from the face's recognisability. @default 50 */
  readonly qualityWeight: number;
  /** Share of faces shown damaged. @default 0.5 */
  readonly degrade: number;
  /** Strength of the worst damage, 0 to 1. @default 1 */
  readonly degradeStrength: number;
  /** @default all */
  readonly degradeKinds?: readonly string[] | undefined;
  /** Views of each face: itself, its mirror image, and damaged ones. @default 6 */
  readonly views: number;
  /** Folder that keeps what the frozen front made of the faces, for other runs on them. @default none */
  readonly frontCache?: string | undefined;
  /** The network's gradients are held at this length. @default 5 */
  readonly clip: number;
  /** Share of the steps, the last ones, over which the weights are averaged at the end. @default 0 */
  readonly averageLast: number;
  /** What each layer between a weight and the embedding multiplies its learning rate by. @default 1 */
  readonly layerDecay: number;
  /** Whether trained convolutions without a BatchNorm get one for the training; it is folded into them at the end. @default false */
  readonly freshBatchNorm: boolean;
}

const share = z.number().min(0).max(1);
const weight = z.number().min(0);

/** One schema a setting. */
export const finetuneFields: { readonly [Key in keyof FinetuneSettings]-?: z.ZodType<FinetuneSettings[Key]> } = {
  freeze: z.union([z.string().transform((one) => [one]), z.array(z.string())], 'names of layers').default([]),
  trainLast: z.int().positive().optional(),
  recipe: z.enum(['auto', 'given']).default('given'),
  centers: z.enum(['mean', 'random']).default('mean'),
  keepWeight: weight.default(50),
  qualityWeight: weight.default(50),
  degrade: share.default(0.5),
  degradeStrength: share.default(1),
  degradeKinds: z.array(z.enum(damageNames as [string, ...string[]])).optional(),
  views: z.int().positive().default(6),
  frontCache: z.string().optional(),
  clip: z.number().positive().default(5),
  averageLast: share.default(0),
  layerDecay: z.number().positive().max(1).default(1),
  freshBatchNorm: z.boolean().default(false),
};

/** What training from nothing has otherwise: a model that is good already is changed in small steps, and soon done. */
const standard = {
  batchSize: 128,
  epochs: 3,
  lr: 5e-3,
  weightDecay: 1e-4,
  schedule: 'cosine',
  warmupEpochs: 0.4,
  printFreq: 20,
};

const constants = ['lowerMagnitude', 'upperMagnitude', 'lowerMargin', 'upperMargin', 'lambdaG'];

/** Whether a model is to be finetuned as a graph, by its name. */
export const isOnnx = (init: unknown): boolean =>
  typeof init === 'string' && !/\.(pth|pt|ckpt|safetensors)$/i.test(init);

/** @returns the given settings over the defaults that finetuning has */
export function withFinetuneDefaults(given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  if (!isOnnx(given['init'])) return { ...given };
  const recipe = constants.some((name) => given[name] !== undefined) ? 'given' : 'auto';
  return { recipe, ...standard, ...given };
}
