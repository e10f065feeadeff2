/**
 * The journal of a run that may be killed at any moment. It lies in a folder beside the output, `OUTPUT.run`: its first line
 * says what the results depend on, and each finished image adds a line with the lengths of the output files after it. The next
 * process cuts the files to the lengths of the last complete line, so that no image is lost or written twice.
 */
import { createHash } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ConfigError, FormatError } from '../errors.ts';
import { type FolderLock, lockFolder } from '../machine/folder-lock.ts';
import { makeFolder } from '../machine/make-folder.ts';

/** What the results depend on. */
export interface RunHeader {
  readonly command: string;
  /** Flags that change results. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Digests of the models. */
  readonly models: readonly string[];
  /** Absent if the run has all images. */
  readonly shard?: { readonly index: number; readonly count: number; readonly list: string } | undefined;
}

/** A finished image. */
export interface FinishedImage {
  readonly path: string;
  /** As the user named it. */
  readonly name: string;
  /** Number of rows it added. */
  readonly rows: number;
  readonly failed: boolean;
  /** Lengths of the output files after it, in bytes. */
  readonly lengths: readonly number[];
  /** Names of the files that it created in the output's folder. */
  readonly created?: readonly string[] | undefined;
}

const whole: z.ZodNumber = z.int().nonnegative();
const headerSchema: z.ZodType<RunHeader> = z.object({
  command: z.string(),
  settings: z.record(z.string(), z.unknown()),
  models: z.array(z.string()),
  shard: z.object({ index: whole, count: whole, list: z.string() }).optional(),
});
const imageSchema: z.ZodType<FinishedImage> = z.object({
  path: z.string(),
  name: z.string(),
  rows: whole,
  failed: z.boolean(),
  lengths: z.array(whole),
  created: z.array(z.string()).optional(),
});
const creatingSchema = z.object({ creating: z.array(z.string()) });
const completeSchema = z.object({ complete: z.literal(true) });
const entrySchema = z.union([imageSchema, creatingSchema, completeSchema, headerSchema]);

/** Totals of the finished images. */
export interface RunTotals {
  readonly images: number;
  readonly failed: number;
  readonly rows: number;
}

export interface Journal extends AsyncDisposable {
  /** Undefined before the first start. */
  readonly header: RunHeader | undefined;
  readonly totals: RunTotals;
  /** Lengths of the output files after the last finished image; empty before the first. */
  readonly lengths: readonly number[];
  /** Whether all images were finished when the last process ended. */
  readonly complete: boolean;
  /** @returns the images that are not finished yet; one that is listed twice is run twice */
  unfinished<Image extends { readonly path: string }>(images: readonly Image[]): Image[];
  /** @throws {ConfigError} if the run has begun with another header */
  start(header: RunHeader): Promise<void>;
  /** Announces the names of files that the next image creates in the output, which are removed if it is not finished. */
  creating(names: readonly string[]): Promise<void>;
  finish(image: FinishedImage): Promise<void>;
  /** Notes that all images are finished. */
  end(): Promise<void>;
}

/** The folder of an output's journal. */
export const journalFolder = (output: string): string => `${output.replace(/[/\\]+$/, '')}.run`;
const fileOf = (output: string): string => join(journalFolder(output), 'journal.jsonl');

const purpose = {
  key: 'output',
  what: 'the run of',
  use: 'writes it',
  remedy: 'wait until it is done, or name another output',
} as const;

/**
 * @param output - file or folder that the run writes
 * @throws {FolderInUseError} if another process is writing it
 * @throws {FormatError} if the journal is damaged before its last line
 */
export async function openJournal(output: string): Promise<Journal> {
  const folder = journalFolder(output);
  await makeFolder(folder);
  const lock = await lockFolder(folder, purpose, { thread: true });
  try {
    const file = fileOf(output);
    const known = await readJournal(file);
    for (const created of known.creating) await rm(join(output, created), { force: true });
    const handle = await open(file, 'a');
    await handle.truncate(known.bytes);
    return journal(known, { handle, lock, output });
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** What a journal says. */
export interface KnownRun {
  readonly header: RunHeader | undefined;
  readonly images: readonly FinishedImage[];
  readonly complete: boolean;
}

/** @returns undefined if there is none; @throws {FormatError} if it is damaged before its last line */
export async function readRun(output: string): Promise<KnownRun | undefined> {
  const run = await readJournal(fileOf(output));
  return run.bytes === 0 ? undefined : run;
}

const completeLine = `${JSON.stringify({ complete: true })}\n`;

/** Whether all images of a run are finished, by the end of its journal alone. */
export async function isFinished(output: string): Promise<boolean> {
  const handle = await openIfThere(fileOf(output));
  if (handle === undefined) return false;
  try {
    const { size } = await handle.stat();
    const length = Math.min(size, completeLine.length);
    const { buffer } = await handle.read({ buffer: Buffer.alloc(length), position: size - length });
    return buffer.toString() === completeLine;
  } finally {
    await handle.close();
  }
}

/**
 * Before a run without `--resume`.
 *
 * @throws {ConfigError} if the output belongs to a run that can go on
 */
export async function expectNoRun(output: string): Promise<void> {
  const run = await readRun(output);
  if (run?.header === undefined) return;
  const state = run.complete ? 'the results of' : 'the first results of';
  throw new ConfigError('output', {
    expected: 'a new output',
    problem: `${output} has ${state} a run with --resume, ${run.images.length.toLocaleString('en')} images`,
    remedy: `pass --resume to go on, remove it with ${journalFolder(output)}, or name another`,
  });
}

/** Identifies a list of images, so that shards of different lists are not merged. */
export function listDigest(names: readonly string[]): string {
  const hash = createHash('sha256');
  for (const name of names) hash.update(`${name}\0`);
  return `${names.length}-${hash.digest('hex').slice(0, 16)}`;
}

interface ReadRun extends KnownRun {
  /** Announced by an image that is not finished. */
  readonly creating: readonly string[];
  /** Length of the complete lines. */
  readonly bytes: number;
}

const openIfThere = (file: string): Promise<FileHandle | undefined> =>
  open(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return undefined;
  });

async function readJournal(file: string): Promise<ReadRun> {
  let header: RunHeader | undefined;
  const images: FinishedImage[] = [];
  let creating: readonly string[] = [];
  let complete = false;
  let [lines, bytes] = [0, 0];
  const handle = await openIfThere(file);
  if (handle === undefined) return { header, images, complete, creating, bytes };
  const { size } = await handle.stat();
  for await (const text of handle.readLines()) {
    const end = bytes + Buffer.byteLength(text) + 1;
    if (end > size) break; // a killed run left the last line without its end
    bytes = end;
    const entry = parsed(text, file, ++lines);
    complete = 'complete' in entry;
    if ('command' in entry) header = entry;
    else if ('creating' in entry) creating = entry.creating;
    else if ('path' in entry) {
      images.push(entry);
      creating = [];
    }
  }
  return { header, images, complete, creating, bytes };
}

function parsed(text: string, file: string, line: number): z.infer<typeof entrySchema> {
  try {
    return entrySchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new FormatError(
      file,
      {
        expected: 'what a run with --resume wrote',
        problem: `line ${line} is damaged`,
        remedy: 'remove the journal to start anew',
      },
      { cause },
    );
  }
}

interface Place {
  readonly handle: FileHandle;
  readonly lock: FolderLock;
  readonly output: string;
}

function journal(known: ReadRun, { handle, lock, output }: Place): Journal {
  let { header, complete } = known;
  let totals: RunTotals = {
    images: known.images.length,
    failed: known.images.filter(({ failed }) => failed).length,
    rows: known.images.reduce((sum, { rows }) => sum + rows, 0),
  };
  let lengths = known.images.at(-1)?.lengths ?? [];
  const finished = new Map<string, number>(); // how often, by path
  for (const { path } of known.images) finished.set(path, (finished.get(path) ?? 0) + 1);
  const append = async (entry: unknown): Promise<void> => {
    lock.expectHeld();
    await handle.appendFile(`${JSON.stringify(entry)}\n`);
  };
  return {
    get header() {
      return header;
    },
    get totals() {
      return totals;
    },
    get lengths() {
      return lengths;
    },
    get complete() {
      return complete;
    },
    unfinished: (images) => {
      const left = new Map(finished);
      return images.filter(({ path }) => {
        const times = left.get(path) ?? 0;
        if (times > 0) left.set(path, times - 1);
        return times === 0;
      });
    },
    start: async (wanted) => {
      const before = header;
      if (before === undefined) await append(wanted);
      else expectSame(before, wanted, output);
      header = wanted;
      complete = false;
    },
    creating: (names) => append({ creating: names }),
    finish: async (image) => {
      await append(image);
      lengths = image.lengths;
      totals = {
        images: totals.images + 1,
        failed: totals.failed + Number(image.failed),
        rows: totals.rows + image.rows,
      };
    },
    end: async () => {
      if (!complete) await append({ complete: true });
      complete = true;
    },
    [Symbol.asyncDispose]: async () => {
      await handle.close();
      await lock.release();
    },
  };
}

/** A resumed run must give what one run gives. */
function expectSame(before: RunHeader, wanted: RunHeader, output: string): void {
  expectSettings(before, wanted, output);
  expectSetting(output, 'models', before.models, wanted.models);
  expectSetting(output, 'list of images', before.shard?.list, wanted.shard?.list);
}

/** @throws {ConfigError} if the command or a flag is not that of the earlier run */
export function expectSettings(
  before: RunHeader,
  wanted: Pick<RunHeader, 'command' | 'settings'>,
  output: string,
): void {
  expectSetting(output, 'command', before.command, wanted.command);
  for (const key of new Set([...Object.keys(before.settings), ...Object.keys(wanted.settings)]))
    expectSetting(output, key, before.settings[key], wanted.settings[key]);
}

/** @throws {ConfigError} if a setting is not that of the earlier run */
export function expectSetting(output: string, what: string, before: unknown, wanted: unknown): void {
  const [was, is] = [before, wanted].map((value) => JSON.stringify(value) ?? 'none');
  if (was === is) return;
  throw new ConfigError('output', {
    expected: `the ${what} of the earlier run of ${output}, ${was},`,
    received: is,
    remedy: 'repeat its command, or name another output',
  });
}
