/** Flags shared by several commands. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { OutputFormat } from './output.ts';

export interface OutputFlags {
  readonly json?: boolean;
  readonly format: OutputFormat;
  readonly quiet?: boolean;
  readonly debug?: boolean;
}

export interface ModelFlags {
  readonly model?: string;
  readonly detector?: string;
  readonly minFaceScore?: number;
  readonly minFace?: number;
  readonly aligned?: boolean;
  readonly engine?: 'onnx' | 'torch' | 'auto';
  readonly batch?: number;
  readonly threads?: number;
  readonly workers?: number;
  readonly offline?: boolean;
}

export interface InputFlags {
  readonly list?: readonly string[];
  readonly root?: string;
}

/** Help of `--fmr` in all commands. */
export const fmrWords = 'maximum false match rate: the given rate, or the next stricter measured one';

export const inputWords = 'files, folders (searched recursively), globs or https: addresses; - reads paths from stdin';

export function addInputFlags(command: Command): Command {
  return command
    .optionsGroup('Inputs:')
    .option('--list <file>', 'list of images, the first word of each line (repeatable)', collect)
    .option('--root <dir>', 'folder that listed paths are relative to (default: the current folder, else the list’s)');
}

interface ModelFlagsWanted {
  readonly aligned: boolean;
  /** @default true */
  readonly batch?: boolean;
}

export function addModelFlags(command: Command, { aligned, batch = true }: ModelFlagsWanted): Command {
  command
    .optionsGroup('Models (a path, an id of `magface models list`, https: or npm:):')
    .option('--model <model>', 'recogniser (default: magface-small)')
    .option('--detector <model>', 'face detector (default: yunet)')
    .option('--min-face-score <share>', 'minimum confidence of a face, 0 to 1 (default: the detector’s)', share)
    .option('--min-face <pixels>', 'smallest face to look for (default: 1/25 of the photo’s shorter side)', count);
  if (aligned) command.option('--aligned', 'inputs are aligned faces of 112x112: skip detection');
  return addEngineFlags(command, { batch });
}

/** Adds flags of the engine. */
export function addEngineFlags(command: Command, { batch = true }: { readonly batch?: boolean } = {}): Command {
  command.addOption(
    new Option(
      '--engine <engine>',
      'runtime of the recogniser (default: auto, the best found by doctor --tune)',
    ).choices(['onnx', 'torch', 'auto']),
  );
  if (batch) command.option('--batch <n>', 'faces per run of the network (default: as tuned, else 8)', count);
  return command
    .option('--workers <n>', 'threads that process images (default: one per core)', count)
    .option('--threads <n>', 'threads per network (default: one in each worker)', count)
    .option('--offline', 'use no network, only cached models');
}

export function addOutputFlags(command: Command): Command {
  return command
    .optionsGroup('Output:')
    .addOption(
      new Option('--format <format>', 'how to print results')
        .choices(['table', 'json', 'jsonl', 'csv'])
        .default('table'),
    )
    .option('--json', 'same as --format json')
    .option('-q, --quiet', 'print errors only, no progress and no notes')
    .option('--debug', 'print the stack of errors');
}

export const formatOf = ({ json, format }: OutputFlags): OutputFormat => (json === true ? 'json' : format);

/** A whole number from 1. */
export const count: (text: string) => number = numberWithin(1, Number.MAX_SAFE_INTEGER, 'a whole number from 1', {
  whole: true,
});
/** 0 to 1. */
export const share: (text: string) => number = numberWithin(0, 1, 'a number from 0 to 1');
/** 0 to 100. */
export const percent: (text: string) => number = numberWithin(0, 100, 'a number from 0 to 100');

/** A whole number, bounds included. */
export const wholeWithin = (least: number, most: number): ((text: string) => number) =>
  numberWithin(least, most, `a whole number from ${least} to ${most}`, { whole: true });

function numberWithin(
  least: number,
  most: number,
  expected: string,
  { whole }: { readonly whole: boolean } = { whole: false },
): (text: string) => number {
  return (text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (value >= least && value <= most && (!whole || Number.isInteger(value))) return value;
    throw new InvalidArgumentError(`Expected ${expected}.`);
  };
}

/** Collects a repeatable flag. */
export function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}
