/** Flags and phrases that the evaluations share. */
import { basename, extname } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';

/** What every evaluation of pairs reads. */
export interface PairFlags {
  readonly features: string;
  readonly pairs: string;
  readonly match: 'auto' | 'order' | 'name';
}

export function addPairFlags(command: Command): Command {
  return command
    .optionsGroup('Data:')
    .requiredOption('--features <file>', 'features: the official text, or .npy')
    .requiredOption('--pairs <file>', 'pairs: the official text, LFW’s, CPLFW’s, or a table with a header')
    .addOption(
      new Option('--match <how>', 'how pairs find features: two lines a pair in order, or by name')
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

/** The same for a flag that may be repeated. */
export const rates = (text: string, before: readonly number[] = []): readonly number[] => [...before, rate(text)];

/** @returns what tables call a model: of a path, the file's name alone. */
export const modelName = (model: string): string => (model.endsWith('.onnx') ? basename(model, extname(model)) : model);
