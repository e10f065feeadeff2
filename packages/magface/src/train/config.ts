/** Every setting of a training run with its default: the official scripts' where they have one. */
import { z } from 'zod';
import { ConfigError } from '../errors.ts';
import { keyOf } from '../settings/flag-names.ts';
import { architectureNames } from './architectures.ts';
import { type FinetuneSettings, finetuneFields, withFinetuneDefaults } from './finetune/finetune-settings.ts';
import { settingError } from './setting-error.ts';

/** A checked configuration. Names as in YAML; on the command line in kebab-case, or under the official flag. */
export interface TrainConfig extends FinetuneSettings {
  /** Lists or folders; several are joined, each with classes of its own. `--train_list` */
  readonly trainList: readonly string[];
  /** Folder that the lists' paths are relative to. */
  readonly root?: string | undefined;
  /** Where checkpoints, metrics and the report go. `--pth-save-fold` */
  readonly output: string;
  /** What to start from: an official `.pth`, a checkpoint of ours, or an ONNX model of any make. @default none: the official initialisation */
  readonly init?: string | undefined;
  /** @default 'iresnet100' */
  readonly arch: string;
  /** D. @default 512 */
  readonly embeddingSize: number;
  /** K. @default the greatest label plus 1 */
  readonly lastFcSize?: number | undefined;
  /** @default 512 */
  readonly batchSize: number;
  /** @default 25 */
  readonly epochs: number;
  /** @default 0.1 */
  readonly lr: number;
  /** @default 0.9 */
  readonly momentum: number;
  /** `--wd` @default 5e-4 */
  readonly weightDecay: number;
  /** @default 'drops' */
  readonly schedule: 'drops' | 'cosine' | 'polynomial';
  /** Epochs from 0. @default [10, 18, 22] */
  readonly lrDropEpoch: readonly number[];
  /** @default 0.1 */
  readonly lrDropRatio: number;
  /** @default 0 */
  readonly warmupEpochs: number;
  /** Of the polynomial schedule. @default 2 */
  readonly power: number;
  /** `angular` is Mag-ArcFace, `cosine` Mag-CosFace. `--arc` @default 'angular' */
  readonly margin: 'angular' | 'cosine';
  /** @default true */
  readonly easyMargin: boolean;
  /** `--l_a` @default 10 */
  readonly lowerMagnitude: number;
  /** `--u_a` @default 110 */
  readonly upperMagnitude: number;
  /** `--l_margin` @default 0.45 */
  readonly lowerMargin: number;
  /** `--u_margin` @default 0.8 */
  readonly upperMargin: number;
  /** `--lambda_g` @default 35 */
  readonly lambdaG: number;
  /** `--arc-scale` @default 64 */
  readonly scale: number;
  /** Share of channels zeroed before the linear layer. @default 0.4 */
  readonly dropout: number;
  /** Whether half of the images are mirrored. @default true */
  readonly flip: boolean;
  /** @default 'fp32' */
  readonly precision: 'fp32' | 'bf16' | 'fp16';
  /** Share of the class centers that take part in a step, with several processes (Partial FC). @default 1 */
  readonly sampleRate: number;
  /** Whether BatchNorm takes its statistics over all processes. @default true */
  readonly syncBatchNorm: boolean;
  /** Seconds that a process waits for the slowest one before it gives up. @default 600 */
  readonly collectiveTimeout: number;
  /** `cpu`, `cuda` or one of several: `cuda:1`. @default 'cpu' */
  readonly device: string;
  /** Whether BatchNorm runs together with what follows it. @default true */
  readonly fused: boolean;
  /** @default 1 */
  readonly seed: number;
  /** Threads that decode images. @default one for each core, at most 4 */
  readonly workers?: number | undefined;
  /** Threads of libtorch. @default all cores */
  readonly threads?: number | undefined;
  /** Mebibytes of freed memory kept for the next step. @default 4096 */
  readonly cacheMemory: number;
  /** Steps between rows of metrics. `--print-freq` @default 100 */
  readonly printFreq: number;
  /** Epochs between checkpoints. `--pth-save-epoch` @default 1 */
  readonly saveEpochs: number;
  /** Steps between checkpoints within an epoch. @default none */
  readonly saveSteps?: number | undefined;
  /** Checkpoints kept. @default all */
  readonly keep?: number | undefined;
  /** Pairs to validate on. @default none */
  readonly evalPairs?: string | undefined;
  /** Folder that their names are relative to. @default the current one, else the list's */
  readonly evalRoot?: string | undefined;
  /** Epochs between validations. @default 1 */
  readonly evalEpochs: number;
  /** Stop after so many steps in all, for trials. @default none */
  readonly maxSteps?: number | undefined;
}

const positive = z.number().positive();
const count = z.int().positive();
const whole = z.int().nonnegative();

const fields: { readonly [Key in keyof TrainConfig]-?: z.ZodType<TrainConfig[Key]> } = {
  trainList: z.union([z.string().transform((one) => [one]), z.array(z.string()).min(1)], 'one path or several'),
  root: z.string().optional(),
  output: z.string(),
  init: z.string().optional(),
  arch: z.enum(architectureNames as [string, ...string[]]).default('iresnet100'),
  embeddingSize: count.default(512),
  lastFcSize: count.optional(),
  batchSize: count.default(512),
  epochs: count.default(25),
  lr: positive.default(0.1),
  momentum: z.number().min(0).lt(1).default(0.9),
  weightDecay: z.number().min(0).default(5e-4),
  schedule: z.enum(['drops', 'cosine', 'polynomial']).default('drops'),
  lrDropEpoch: z.union([whole.transform((one) => [one]), z.array(whole)], 'whole numbers').default([10, 18, 22]),
  lrDropRatio: positive.default(0.1),
  warmupEpochs: z.number().min(0).default(0),
  power: positive.default(2),
  margin: z.enum(['angular', 'cosine']).default('angular'),
  easyMargin: z.boolean().default(true),
  lowerMagnitude: positive.default(10),
  upperMagnitude: positive.default(110),
  lowerMargin: z.number().min(0).default(0.45),
  upperMargin: z.number().min(0).default(0.8),
  lambdaG: z.number().min(0).default(35),
  scale: positive.default(64),
  dropout: z.number().min(0).lt(1).default(0.4),
  flip: z.boolean().default(true),
  precision: z.enum(['fp32', 'bf16', 'fp16']).default('fp32'),
  sampleRate: z.number().positive().max(1).default(1),
  syncBatchNorm: z.boolean().default(true),
  collectiveTimeout: positive.default(600),
  device: z
    .string()
    .regex(/^(cpu|cuda(:\d+)?)$/, 'expected cpu, cuda or cuda:N')
    .default('cpu'),
  fused: z.boolean().default(true),
  seed: whole.default(1),
  workers: whole.optional(),
  threads: count.optional(),
  cacheMemory: whole.default(4096),
  printFreq: count.default(100),
  saveEpochs: count.default(1),
  saveSteps: count.optional(),
  keep: count.optional(),
  evalPairs: z.string().optional(),
  evalRoot: z.string().optional(),
  evalEpochs: count.default(1),
  maxSteps: count.optional(),
  ...finetuneFields,
};

/** Names of all settings, for the help and for --print-config. */
export const trainConfigKeys: readonly string[] = Object.keys(fields);

/** The official flags whose names are not ours in kebab-case, and how their values become ours. */
const officialFlags: Readonly<Record<string, (value: string) => Partial<Record<keyof TrainConfig, unknown>>>> = {
  train_list: (trainList) => ({ trainList }),
  'pth-save-fold': (output) => ({ output }),
  'pth-save-epoch': (value) => ({ saveEpochs: Number(value) }),
  wd: (value) => ({ weightDecay: Number(value) }),
  'learning-rate': (value) => ({ lr: Number(value) }),
  l_a: (value) => ({ lowerMagnitude: Number(value) }),
  u_a: (value) => ({ upperMagnitude: Number(value) }),
  l_margin: (value) => ({ lowerMargin: Number(value) }),
  u_margin: (value) => ({ upperMargin: Number(value) }),
  lambda_g: (value) => ({ lambdaG: Number(value) }),
  'arc-scale': (value) => ({ scale: Number(value) }),
  arc: (value) => ({ margin: value === '0' ? 'cosine' : 'angular' }),
  fp16: (value) => ({ precision: value === '0' ? 'fp32' : 'fp16' }),
  vis_mag: () => ({}), // the report always has that picture
};

/** Names of the official flags beside ours, for the help. */
export const officialFlagNames: readonly string[] = Object.keys(officialFlags);

/** A value from the command line, under an official flag or one of ours in kebab-case, as fields of the configuration. */
export function fromFlag(flag: string, value: string | readonly string[] | boolean): Record<string, unknown> {
  const official = officialFlags[flag];
  if (official !== undefined) return official(String(value));
  const key = keyOf(flag);
  // Where text fits it stays text, also if it looks like a number: a folder may be named 2024.
  const isText = (fields as Readonly<Record<string, z.ZodType>>)[key]?.safeParse(value).success === true;
  return { [key]: isText ? value : parsed(value) };
}

function parsed(value: string | readonly string[] | boolean): unknown {
  if (typeof value === 'boolean') return value;
  if (typeof value !== 'string') return value.map(parsed);
  if (value === 'true' || value === 'false') return value === 'true';
  return value.trim() !== '' && Number.isFinite(Number(value)) ? Number(value) : value;
}

/**
 * @param given - fields of the YAML file with those of the command line over them
 * @throws {ConfigError} naming the first key that is wrong or unknown
 */
export function parseTrainConfig(given: unknown): TrainConfig {
  const settings = typeof given === 'object' && given !== null ? withFinetuneDefaults({ ...given }) : given;
  const result = z.strictObject(fields).safeParse(settings);
  if (!result.success) throw settingError(settings, result.error.issues);
  const config: TrainConfig = result.data;
  const ordered = (
    low: 'lowerMagnitude' | 'lowerMargin',
    high: 'upperMagnitude' | 'upperMargin',
    may: boolean,
  ): void => {
    if (config[low] < config[high] || (may && config[low] === config[high])) return;
    throw new ConfigError(low, `Expected ${low} below ${high} but received ${config[low]} and ${config[high]}.`);
  };
  ordered('lowerMagnitude', 'upperMagnitude', false);
  ordered('lowerMargin', 'upperMargin', true);
  return config;
}
