/** Settings and phrases shared by the evaluations. */
import { basename, extname } from 'node:path';
import { InvalidArgumentError } from 'commander';
import type { RejectOptions } from '../../eval/reject.ts';
import type { RejectUnit } from '../../eval/reject-points.ts';
import type { ConfigOf } from '../../settings/setting.ts';

/** Inputs of every evaluation of pairs. */
export const pairSettings = {
  features: {
    group: 'Data:',
    takes: 'text',
    value: '<file>',
    says: 'features: official text, or .npy',
    required: true,
  },
  pairs: {
    group: 'Data:',
    takes: 'text',
    value: '<file>',
    says: 'pairs: official text, LFW’s, CPLFW’s, or a table with a header',
    required: true,
  },
  match: {
    group: 'Data:',
    takes: 'choice',
    choices: ['auto', 'order', 'name'],
    value: '<how>',
    says: 'how pairs find their features: by order, two lines per pair, or by name',
    default: 'auto',
  },
} as const;

export type PairFlags = ConfigOf<typeof pairSettings>;

/** The folds of a verification. */
export const foldSettings = {
  folds: { group: 'Protocol:', takes: 'count', value: '<n>', says: 'number of contiguous folds', default: 10 },
} as const;

/** Judging quality as a probability. */
export const reliabilitySettings = {
  reliability: {
    group: 'Protocol:',
    takes: 'count',
    value: '<n>',
    says: 'judge quality as a probability, and its meaning by group, in n quality bins',
  },
} as const;

/** Where the curves of error versus reject are measured. */
export const rejectSettings = {
  fmr: {
    group: 'Protocol:',
    takes: 'rate',
    value: '<rate>',
    says: 'false match rate of the reject curve',
    otherwise: 'the strictest of 0.001, 0.01 and 0.1 that the pairs can resolve',
  },
  threshold: {
    group: 'Protocol:',
    takes: 'choice',
    choices: ['official', 'exact', 'fixed'],
    value: '<rule>',
    says: 'threshold of the reject curve: official order statistic, exact at every rate, or fixed',
    default: 'exact',
  },
  startFnmr: {
    group: 'Protocol:',
    takes: 'rate',
    value: '<rate>',
    says: 'threshold of this FNMR without rejection, instead of --fmr and --threshold',
  },
  rates: {
    group: 'Protocol:',
    takes: 'text',
    parse: rejectRates as (text: string) => readonly number[],
    value: '<list>',
    says: 'reject rates in addition to 0, such as 0.01,0.02,0.03',
    otherwise: '0.05 to 0.95',
  },
  limit: {
    group: 'Protocol:',
    takes: 'rate',
    value: '<rate>',
    says: 'reject rate at which pAUC ends',
    otherwise: '0.3, or the last rate if lower',
  },
} as const;

export type RejectFlags = ConfigOf<typeof rejectSettings> & {
  /** What a reject rate is a share of. @default 'pairs' */
  readonly by?: RejectUnit | undefined;
};

/** @returns the options; the rates always include 0, since pAUC begins there */
export const rejectOptions = ({ fmr, threshold, startFnmr, by, rates, limit }: RejectFlags): RejectOptions => ({
  threshold: startFnmr === undefined ? threshold : 'start',
  ...(startFnmr !== undefined && { startFnmr }),
  ...(by !== undefined && { unit: by }),
  ...(fmr !== undefined && startFnmr === undefined && { fmr }),
  ...(rates !== undefined && { rejectRates: rates }),
  ...(limit !== undefined && { paucLimit: limit }),
});

function rejectRates(text: string): readonly number[] {
  const given = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  const all = given[0] === 0 ? given : [0, ...given];
  if (given.length > 0 && all.every((value, i) => value < 1 && (i === 0 || value > all[i - 1]!))) return all;
  throw new InvalidArgumentError('Expected rising rates below 1, separated by commas, such as 0.01,0.02,0.03.');
}

/** @returns a model's name in tables: the file name if it is a path */
export const modelName = (model: string): string => (model.endsWith('.onnx') ? basename(model, extname(model)) : model);
