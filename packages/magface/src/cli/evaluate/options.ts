/** Flags and phrases shared by the evaluations. */
import { basename, extname } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { RejectOptions } from '../../eval/reject.ts';
import type { RejectUnit, ThresholdRule } from '../../eval/reject-points.ts';

/** Inputs of every evaluation of pairs. */
export interface PairFlags {
  readonly features: string;
  readonly pairs: string;
  readonly match: 'auto' | 'order' | 'name';
}

export function addPairFlags(command: Command): Command {
  return command
    .optionsGroup('Data:')
    .requiredOption('--features <file>', 'features: official text, or .npy')
    .requiredOption('--pairs <file>', 'pairs: official text, LFW’s, CPLFW’s, or a table with a header')
    .addOption(
      new Option('--match <how>', 'how pairs find their features: by order, two lines per pair, or by name')
        .choices(['auto', 'order', 'name'])
        .default('auto'),
    )
    .optionsGroup('Protocol:');
}

/** A rate above 0 and below 1. */
export function rate(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (value > 0 && value < 1) return value;
  throw new InvalidArgumentError('Expected a rate above 0 and below 1.');
}

/** Where the curves of error versus reject are measured. */
export interface RejectFlags {
  readonly fmr?: number | undefined;
  readonly threshold: ThresholdRule;
  readonly startFnmr?: number | undefined;
  readonly by?: RejectUnit | undefined;
  readonly rates?: readonly number[] | undefined;
  readonly limit?: number | undefined;
}

/** @param fmr - the flag's default. @default set by the pairs */
export function addRejectFlags(command: Command, fmr?: number): Command {
  const chosen = 'the strictest of 0.001, 0.01 and 0.1 that the pairs can resolve';
  const fmrFlag = new Option('--fmr <rate>', 'false match rate of the reject curve').argParser(rate);
  return command
    .addOption(fmrFlag.default(fmr, fmr === undefined ? chosen : undefined))
    .addOption(
      new Option(
        '--threshold <rule>',
        'threshold of the reject curve: official order statistic, exact at every rate, or fixed',
      )
        .choices(['official', 'exact', 'fixed'])
        .default('exact'),
    )
    .option('--start-fnmr <rate>', 'threshold of this FNMR without rejection, instead of --fmr and --threshold', rate)
    .option(
      '--rates <list>',
      'reject rates in addition to 0, such as 0.01,0.02,0.03 (default: 0.05 to 0.95)',
      rejectRates,
    )
    .option('--limit <rate>', 'reject rate at which pAUC ends (default: 0.3, or the last rate if lower)', rate);
}

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

/** The same for a repeatable flag. */
export const rates = (text: string, before: readonly number[] = []): readonly number[] => [...before, rate(text)];

/** @returns a model's name in tables: the file name if it is a path */
export const modelName = (model: string): string => (model.endsWith('.onnx') ? basename(model, extname(model)) : model);
