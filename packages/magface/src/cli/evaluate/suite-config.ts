/** Configuration of `magface evaluate suite`: sets and models, as YAML. */

import { existsSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { z } from 'zod';
import { ConfigError } from '../../errors.ts';
import type { CfpProtocol } from '../../eval/layouts/cfp.ts';
import type { RejectOptions } from '../../eval/reject.ts';
import { contrast, type Fault } from '../../fault.ts';
import { issueFault, placeOf } from '../../settings/schema-issue.ts';
import { readYaml } from '../yaml-file.ts';
import { modelName, rejectOptions } from './options.ts';

const namedModel = z.strictObject({ name: z.string().optional(), model: z.string() });
const model = z.union([z.string().transform((named) => ({ name: undefined, model: named })), namedModel]);

const namedSet = z.strictObject({
  set: z.string(),
  name: z.string().optional(),
  pairs: z.string().optional(),
  images: z.string().optional(),
  protocol: z.enum(['fp', 'ff']).optional(),
  aligned: z.boolean().optional(),
  /** Names of the only models for this set. */
  models: z.array(z.string()).optional(),
  /** For this set, beside the suite's. */
  methods: z.array(z.string()).optional(),
  scores: z.array(z.string()).optional(),
});
const set = z.union([z.string().transform((source) => ({ set: source })), namedSet]);

/** Ascending; always includes 0, as on the command line. */
const rejectRates = z
  .array(z.number().min(0).lt(1))
  .min(1)
  .transform((given) => (given[0] === 0 ? given : [0, ...given]))
  .refine((all) => all.every((rate, i) => i === 0 || rate > all[i - 1]!), 'rising rates');

const suite = z.strictObject({
  title: z.string().default('Evaluation'),
  /** Folder for report.html, results.json and CSV files. */
  output: z.string().default('evaluation'),
  flip: z.boolean().default(false),
  folds: z.int().min(2).default(10),
  /** For reject curves. @default the strictest of 0.001, 0.01, 0.1 that a set can measure */
  fmr: z.number().gt(0).lt(1).optional(),
  threshold: z.enum(['official', 'exact', 'fixed']).default('exact'),
  rates: rejectRates.optional(),
  limit: z.number().gt(0).lt(1).optional(),
  detector: z.string().optional(),
  /** Quality methods beside the magnitude, by name. */
  methods: z.array(z.string()).default([]),
  /** Files with scores of other methods, for all images of all sets. */
  scores: z.array(z.string()).default([]),
  models: z.array(model).min(1),
  sets: z.array(set).min(1),
});

/** A set of the suite. */
export interface SuiteSet {
  /** A .bin file or a folder. */
  readonly set: string;
  /** @default from the files */
  readonly name?: string | undefined;
  readonly pairs?: string | undefined;
  readonly images?: string | undefined;
  readonly protocol?: CfpProtocol | undefined;
  /** Whether the images are 112x112 faces; a .bin file always holds faces. */
  readonly aligned?: boolean | undefined;
  /** Names of the only models for this set. @default all */
  readonly models?: readonly string[] | undefined;
  /** Quality methods and files of scores for this set, beside the suite's. */
  readonly methods?: readonly string[] | undefined;
  readonly scores?: readonly string[] | undefined;
}

/** A suite; its paths are relative to the current folder. */
export interface Suite {
  readonly title: string;
  readonly output: string;
  readonly flip: boolean;
  readonly folds: number;
  readonly reject: RejectOptions;
  readonly detector: string | undefined;
  /** Quality methods beside the magnitude, as `openMethod` takes them. */
  readonly methods: readonly string[];
  /** Files with scores of other methods. */
  readonly scores: readonly string[];
  /** Bins in which to judge quality as a probability, and its meaning by group. @default not judged */
  readonly meaningBins?: number;
  readonly models: readonly { readonly name: string; readonly model: string }[];
  readonly sets: readonly SuiteSet[];
}

/**
 * @param file - contains paths relative to its folder
 * @throws {ConfigError} naming every wrong key
 */
export async function readSuite(file: string): Promise<Suite> {
  const see = '"Suites" in docs/evaluation.md';
  const given = await readYaml(file, { key: 'config', what: 'a suite of models and sets', see });
  const parsed = suite.safeParse(given);
  if (!parsed.success) {
    const wrong = parsed.error.issues.map((issue) => contrast(faultOf(issue, given))).join('; ');
    throw new ConfigError('config', {
      expected: `a valid suite in ${file}`,
      problem: `it has wrong settings (${wrong})`,
      remedy: `see ${see}`,
    });
  }
  const at = (path: string): string => (isAbsolute(path) ? path : join(dirname(file), path));
  const { models, sets, scores, output, fmr, threshold, rates, limit, ...rest } = parsed.data;
  const named = models.map(({ name, model: source }) => ({
    name: name ?? modelName(source),
    model: locate(at(source), source),
  }));
  expectDifferent(
    named.map(({ name }) => name),
    file,
  );
  const placed = sets.map(
    (entry: SuiteSet): SuiteSet => ({
      ...entry,
      set: at(entry.set),
      pairs: entry.pairs && at(entry.pairs),
      images: entry.images && at(entry.images),
      scores: entry.scores?.map(at),
    }),
  );
  for (const { models: only = [] } of sets as readonly SuiteSet[]) expectKnown(only, named, file);
  const reject = rejectOptions({ fmr, threshold, rates, limit });
  return {
    ...rest,
    detector: rest.detector,
    scores: scores.map(at),
    reject,
    output: at(output),
    models: named,
    sets: placed,
  };
}

/** The fault of a setting; that of a wrong key lists the valid ones. */
function faultOf(issue: z.core.$ZodIssue, given: unknown): Omit<Fault, 'remedy'> {
  if (issue.code !== 'unrecognized_keys') return issueFault(issue, given);
  const { shape } = { models: namedModel, sets: namedSet }[String(issue.path[0])] ?? suite;
  const place = issue.path.length === 0 ? '' : ` in ${placeOf(issue)}`;
  return { expected: `keys${place} among ${Object.keys(shape).join(', ')}`, received: issue.keys.join(', ') };
}

/** Ids and addresses are kept; so is a missing file's name, unless it can only be a file. */
const locate = (path: string, named: string): string =>
  existsSync(path) || (named.endsWith('.onnx') && !/^(https|npm):/.test(named)) ? path : named;

function expectDifferent(names: readonly string[], file: string): void {
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    throw new ConfigError('models', {
      expected: `models of different names in ${file}`,
      problem: `two are called ${twice}`,
      remedy: 'give one a name',
    });
}

function expectKnown(only: readonly string[], models: readonly { readonly name: string }[], file: string): void {
  const unknown = only.find((name) => models.every((model) => model.name !== name));
  if (unknown === undefined) return;
  const known = models.map(({ name }) => name).join(', ');
  throw new ConfigError('models', {
    expected: `the models of a set among ${known} in ${file}`,
    received: unknown,
    remedy: 'name one of them, or add the model to the suite',
  });
}
