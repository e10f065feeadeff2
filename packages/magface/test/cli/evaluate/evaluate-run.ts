/** Runs `magface evaluate WORDS` with the real services and a cache of its own. */
import { Readable } from 'node:stream';
import type { Context } from '../../../src/cli/context.ts';
import type { ExitCode } from '../../../src/cli/errors.ts';
import { runProgram } from '../../../src/cli/program.ts';
import { services } from '../../../src/cli/services.ts';
import { textSink } from '../run-cli.ts';

export interface EvaluateRun {
  readonly exitCode: ExitCode;
  readonly out: string;
  readonly notes: string;
}

/** @param cache - where features are kept, and what relative paths begin from */
export async function runIn(cache: string, ...words: string[]): Promise<EvaluateRun> {
  const [stdout, stderr] = [textSink(), textSink()];
  const context: Context = {
    stdin: Readable.from([]),
    stdout: stdout.stream,
    stderr: stderr.stream,
    env: { MAGFACE_CACHE: cache },
    signal: new AbortController().signal,
    services,
  };
  const before = process.cwd();
  process.chdir(cache);
  try {
    const exitCode = await runProgram(words, context);
    return { exitCode, out: stdout.text(), notes: stderr.text() };
  } finally {
    process.chdir(before);
  }
}
