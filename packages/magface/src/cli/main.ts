#!/usr/bin/env node
/** The command `magface`: runs the program and exits cleanly on Ctrl-C or when its reader closes the pipe. */
import { setImmediate } from 'node:timers/promises';
import { isGone, sentenceOf } from './errors.ts';
import { runProgram } from './program.ts';
import { services } from './services.ts';

const interrupt = new AbortController();
process.on('SIGINT', () => {
  if (interrupt.signal.aborted) process.exit(130);
  process.stderr.write('\nInterrupted: finishing the current work; press Ctrl-C again to end at once.\n');
  interrupt.abort();
});
let unwritten: Error | undefined;
process.stdout.on('error', (error) => {
  if (isGone(error)) process.exit(0);
  unwritten ??= error;
});

const { stdin, stdout, stderr, env } = process;
const context = { stdin, stdout, stderr, env, signal: interrupt.signal, services };
process.exitCode = await runProgram(process.argv.slice(2), context);
await setImmediate(); // a stream reports failures a moment later
if (unwritten !== undefined && process.exitCode === 0) {
  // For output that was not awaited, such as help: commands report their own failures.
  stderr.write(`${sentenceOf(unwritten)}\n`);
  process.exitCode = 2;
}
// An open pipe would keep the process alive after an interruption.
if (interrupt.signal.aborted) process.exit(process.exitCode);
