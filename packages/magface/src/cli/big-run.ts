/** Runs that go on after a kill (`--resume`) and parts of runs (`--shard`): the same for all commands over many images. */
import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { ConfigError } from '../errors.ts';
import { FileWriter } from '../format/file-writer.ts';
import {
  expectNoRun,
  expectSetting,
  expectSettings,
  type Journal,
  journalFolder,
  listDigest,
  openJournal,
} from '../runs/journal.ts';
import { parseShard, type Shard, shardOf, shardPath, shardPattern } from '../runs/shard.ts';
import type { ConfigOf } from '../settings/setting.ts';
import type { Context } from './context.ts';
import type { ImageFile } from './inputs.ts';
import { type ImageOutcome, type Inputs, isPart, type RunFlags } from './run-images.ts';
import type { Recogniser } from './services.ts';

export const bigRunWords = `
A run with --resume keeps a journal in OUTPUT.run and may be killed at any time:
the same command goes on. --shard 2/8 runs the second of eight parts, with a
journal too, and writes OUTPUT.2-of-8; \`magface merge\` joins the parts. With
--queue each process takes part after part until none is left. It may be killed,
or come later.`;

const bigRun = {
  resume: {
    group: 'Big runs:',
    takes: 'boolean',
    value: '',
    says: 'go on where a killed run of this command stopped, or start a run that can go on',
  },
  shard: {
    group: 'Big runs:',
    takes: 'text',
    parse: shardText as (text: string) => string,
    value: '<i/n>',
    says: 'only part I of N; auto/N takes I from a Slurm array or a Kubernetes indexed job',
  },
  queue: {
    group: 'Big runs:',
    takes: 'text',
    value: '<postgres://...>',
    says: 'take part after part from a queue in PostgreSQL, as one of any number of workers',
  },
  parts: {
    group: 'Big runs:',
    takes: 'count',
    value: '<n>',
    says: 'parts of the queue',
    otherwise: 'so many that each has 500 images, from 16 to 10,000',
  },
  lease: {
    group: 'Big runs:',
    takes: 'count',
    value: '<seconds>',
    says: 'silence after which a worker of the queue counts as lost, and another goes on with its part',
    default: 60,
  },
} as const;

/** For commands whose runs can go on after a kill. */
export const bigRunSettings: typeof bigRun = bigRun;

export type BigRunFlags = ConfigOf<typeof bigRun>;

function shardText(text: string): string {
  if (shardPattern.test(text)) return text;
  throw new InvalidArgumentError('Expected a part and their number, such as 2/8 or auto/8.');
}

export interface BigRunOptions {
  readonly command: string;
  readonly inputs: Inputs;
  readonly flags: BigRunFlags & RunFlags;
  /** Further flags that change results. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly output: string;
  readonly env: Context['env'];
}

/** A run with a journal. */
export interface BigRun extends AsyncDisposable {
  /** The output, or the shard's part of it. */
  readonly output: string;
  readonly journal: Journal;
  /**
   * Opens the output's files, always in the same order, where the last finished image ends.
   *
   * @param where - `aside`: in the journal's folder until it is complete
   */
  open(file: string, where: 'in place' | 'aside'): Promise<FileWriter>;
  /** The images to run. */
  readonly choose: (files: readonly ImageFile[]) => readonly ImageFile[];
  /** Notes the models. @throws {ConfigError} if the run began with others, or with other flags */
  start(recogniser: Pick<Recogniser, 'model' | 'detector'>): Promise<void>;
  finish(outcome: ImageOutcome, written: WrittenImage): Promise<void>;
}

/** What an image added to the output. */
export interface WrittenImage {
  readonly rows: number;
  /** Lengths of the output's files, in the order they were opened. @default none */
  readonly lengths?: readonly number[];
  /** Files made. @default none */
  readonly created?: readonly string[];
}

/** Whether the flags ask for a run with a journal. */
export const isBigRun = ({ resume, shard, queue }: BigRunFlags): boolean =>
  resume === true || shard !== undefined || queue !== undefined;

/** @throws {ConfigError} if a run with a journal has no output */
export function expectOutputOfRun(flags: BigRunFlags & { readonly output?: string | undefined }): void {
  if (flags.output === undefined && isBigRun(flags))
    throw new ConfigError('output', { expected: '--output with --resume, --shard and --queue', remedy: 'name a file' });
}

/** @throws {ConfigError} if the output exists: of another run, or of one that can go on and `--resume` is missing */
export async function openBigRun(options: BigRunOptions): Promise<BigRun> {
  const { command, inputs, flags, output, env } = options;
  const part = isPart(inputs) ? inputs : undefined;
  const shard = part?.shard ?? (flags.shard === undefined ? undefined : parseShard(flags.shard, env));
  const place = shard === undefined ? output : shardPath(output, shard);
  if (flags.resume !== true && part === undefined) await expectNoRun(place);
  const journal = await openJournal(place);
  const settings = settingsOf(options);
  try {
    if (journal.header !== undefined) expectSettings(journal.header, { command, settings }, place);
    else await expectNoFile(place);
  } catch (error) {
    await journal[Symbol.asyncDispose]();
    throw error;
  }
  let list: string | undefined; // identifies the images before they are parted
  let opened = 0;
  return {
    output: place,
    journal,
    open: (file, where) => {
      const length = journal.lengths[opened++] ?? 0;
      return FileWriter.resume(file, where === 'aside' ? join(journalFolder(place), basename(file)) : file, length);
    },
    choose: (files) => {
      if (shard === undefined) return journal.unfinished(files);
      list = part?.list ?? listDigest(files.map(({ name }) => name));
      const before = journal.header?.shard?.list;
      if (before !== undefined) expectSetting(place, 'list of images', before, list);
      return journal.unfinished(part === undefined ? partOf(files, shard) : files);
    },
    start: ({ model, detector }) =>
      journal.start({
        command,
        settings,
        models: digestsOf({ model, detector }),
        ...(shard !== undefined && list !== undefined && { shard: { ...shard, list } }),
      }),
    finish: (outcome, { rows, lengths = [], created }) => {
      const { path, name } = outcome.file;
      return journal.finish({ path, name, rows, failed: 'error' in outcome, lengths, ...(created && { created }) });
    },
    [Symbol.asyncDispose]: () => journal[Symbol.asyncDispose](),
  };
}

async function expectNoFile(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile() !== true) return;
  const remedy = 'remove it, or name another';
  throw new ConfigError('output', { expected: 'a new output', problem: `${path} exists`, remedy });
}

/** @throws {ConfigError} if the shards are more than the images */
export function partOf(files: readonly ImageFile[], shard: Shard): readonly ImageFile[] {
  if (files.length >= shard.count) return shardOf(files, shard);
  throw new ConfigError('shard', {
    expected: 'at most as many shards as images',
    received: `${shard.count} for ${files.length}`,
    remedy: 'use fewer',
  });
}

/** All flags that change results. */
export function settingsOf({ flags, settings }: Pick<BigRunOptions, 'flags' | 'settings'>): Record<string, unknown> {
  const { aligned, flip, minFaceScore, minFace } = flags;
  return { aligned, flip, 'min-face-score': minFaceScore, 'min-face': minFace, ...settings };
}

/** Of the models that results depend on. */
export const digestsOf = ({ model, detector }: Pick<Recogniser, 'model' | 'detector'>): string[] => [
  model.digest,
  ...(detector === undefined ? [] : [detector.digest]),
];
