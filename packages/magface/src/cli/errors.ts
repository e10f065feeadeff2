/** How errors end a command: one sentence with its remedy and an exit code; the stack only with `--debug`. */
import { CommanderError } from 'commander';
import { MagfaceError } from '../errors.ts';
import { type Fault, sentence } from '../fault.ts';
import { missingProblem } from '../format/missing-file.ts';

/** 0 success, 1 some inputs failed, 2 wrong usage or configuration, 3 a process was lost, 130 interrupted. */
export type ExitCode = 0 | 1 | 2 | 3 | 130;

export interface Ending {
  readonly exitCode: ExitCode;
  /** Undefined if already printed, or if the reader is gone. */
  readonly message: string | undefined;
}

/** @param error - thrown by a command */
export function endingOf(error: unknown, { debug, signal }: { debug: boolean; signal: AbortSignal }): Ending {
  if (signal.aborted) return { exitCode: 130, message: 'Interrupted: the results so far are written.' };
  if (error instanceof CommanderError) return { exitCode: error.exitCode === 0 ? 0 : 2, message: undefined };
  if (isGone(error)) return { exitCode: 0, message: undefined };
  const exitCode = exitCodeOf(error);
  if (debug && error instanceof Error) return { exitCode, message: stackOf(error) };
  return { exitCode, message: sentenceOf(error) };
}

function exitCodeOf(error: unknown): ExitCode {
  if (!(error instanceof MagfaceError)) return 2;
  return error.code === 'rank_lost' ? 3 : error.name === 'ImageError' ? 1 : 2;
}

/** Whether the reader closed our output, as `head` does. */
export function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EPIPE';
}

/** @returns one sentence with its remedy, or a note that it is unexpected */
export function sentenceOf(error: unknown): string {
  if (error instanceof MagfaceError) return error.message;
  const message = error instanceof Error ? error.message : String(error);
  return (
    systemSentence(error) ??
    `${message}\nThis error is unexpected: run the command again with --debug to see where it happened.`
  );
}

/** Our message for an error of the operating system; undefined for unknown errors. */
function systemSentence(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  const { code, path, dest } = error as NodeJS.ErrnoException & { readonly dest?: string };
  const place = dest ?? path ?? 'the output';
  if (code === 'ENOENT' && path !== undefined)
    return `${path}: ${sentence({ expected: 'a file', problem: missingProblem(path), remedy: 'check the path' })}`;
  const fault = systemFaults.get(String(code));
  if (fault !== undefined) return sentence({ ...fault, expected: `${fault.expected} ${place}` });
  const remedy = systemRemedies.get(String(code));
  return remedy === undefined ? undefined : sentence({ problem: error.message, remedy });
}

const fullDisk = { expected: 'to write', problem: 'the disk is full', remedy: 'free some space, or write elsewhere' };
const systemFaults: ReadonlyMap<string, Fault> = new Map([
  ['ENOSPC', fullDisk],
  ['EDQUOT', fullDisk],
  [
    'EFBIG',
    {
      expected: 'to write',
      problem: 'it exceeds the maximum file size',
      remedy: 'write to another disk, or raise the limit (ulimit -f)',
    },
  ],
  ['EIO', { expected: 'to read and write', problem: 'its disk has errors (EIO)', remedy: 'check it, or use another' }],
]);

const systemRemedies: ReadonlyMap<string, string> = new Map([
  ['EACCES', 'choose a place that you may write to'],
  ['EROFS', 'choose a place that you may write to'],
  ['EPERM', 'choose a place that you may write to'],
  ['EEXIST', 'choose another name'],
  ['ENOENT', 'check the path'],
  ['ENOTDIR', 'name a folder, not a file'],
  ['EISDIR', 'name a file, not a folder'],
]);

function stackOf(error: Error): string {
  const cause = error.cause instanceof Error ? `\nCaused by ${stackOf(error.cause)}` : '';
  return `${error.stack ?? error.message}${cause}`;
}
