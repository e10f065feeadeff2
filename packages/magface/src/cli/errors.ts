/** How errors end a command: one sentence with its remedy and an exit code; the stack only with `--debug`. */
import { CommanderError } from 'commander';
import { MagfaceError } from '../errors.ts';

/** 0 all well, 1 some inputs failed, 2 wrong use or configuration, 3 a process of the run was lost, 130 interrupted. */
export type ExitCode = 0 | 1 | 2 | 3 | 130;

export interface Ending {
  readonly exitCode: ExitCode;
  /** Undefined when the reader has been told already, or has gone away. */
  readonly message: string | undefined;
}

/** @param error - whatever a command threw */
export function endingOf(error: unknown, { debug, signal }: { debug: boolean; signal: AbortSignal }): Ending {
  if (signal.aborted) return { exitCode: 130, message: 'Interrupted: what was done until now is written.' };
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

/** The reader of our output closed it, as `head` does: nobody is left to tell. */
export function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EPIPE';
}

function sentenceOf(error: unknown): string {
  if (error instanceof MagfaceError) return error.message;
  const remedy = systemRemedies.get(systemCode(error));
  const message = error instanceof Error ? error.message : String(error);
  return remedy === undefined
    ? `${message}\nThis was not foreseen: run the command again with --debug for where it happened.`
    : `${message}: ${remedy}.`;
}

const systemCode = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : '');

const systemRemedies: ReadonlyMap<string, string> = new Map([
  ['ENOSPC', 'free some space on the disk, or write elsewhere'],
  ['EACCES', 'choose a place that you may write to'],
  ['EROFS', 'choose a place that you may write to'],
  ['EPERM', 'choose a place that you may write to'],
  ['ENOENT', 'check the path'],
  ['ENOTDIR', 'name a folder, not a file'],
  ['EISDIR', 'name a file, not a folder'],
]);

function stackOf(error: Error): string {
  const cause = error.cause instanceof Error ? `\nCaused by ${stackOf(error.cause)}` : '';
  return `${error.stack ?? error.message}${cause}`;
}
