/** Progress on stderr: a bar on a terminal, otherwise a line every few seconds, or nothing if quiet. */
import { createRequire } from 'node:module';
import type * as CliProgress from 'cli-progress';
import type { TextStream } from './context.ts';

export interface ProgressOptions {
  readonly total: number;
  /** The counted items, in the plural: `images`. */
  readonly unit: string;
  /** Draw and count nothing. @default false */
  readonly quiet?: boolean;
  /** False while results scroll by on the same terminal. @default true */
  readonly bar?: boolean;
  /** Milliseconds between plain lines. @default 5000 */
  readonly interval?: number;
  /** Milliseconds. @default performance.now */
  readonly now?: () => number;
}

export interface Progress {
  /** @param done - how many of the total are done */
  update(done: number): void;
  /** Prints a line that the bar does not overwrite, even if quiet. */
  note(line: string): void;
  stop(): void;
}

export function startProgress(stream: TextStream, options: ProgressOptions): Progress {
  const { quiet = false, bar = true } = options;
  const note = (line: string): void => void stream.write(`${line}\n`);
  if (quiet) return { update: () => undefined, note, stop: () => undefined };
  return stream.isTTY === true && bar ? drawBar(stream, options) : writeLines(stream, options);
}

/** `85.2/s, 2 min left`, from the mean rate; empty while the rate is unknown. */
export function pace(done: number, left: number, milliseconds: number): string {
  if (done <= 0 || milliseconds <= 0) return '';
  const rate = (1000 * done) / milliseconds;
  const digits = rate < 10 ? 1 : 0;
  return `${rate.toFixed(digits)}/s, ${duration(left / rate)} left`;
}

/** Minimum time: items of the first batch arrive all at once and give no rate. */
const leastTime = 500;

/** Measures from the first finished item: excludes loading models and, in a resumed run, earlier items. */
function pacer(total: number, now: () => number): (done: number) => string {
  let first: { readonly done: number; readonly time: number } | undefined;
  return (done) => {
    const time = now();
    first ??= { done, time };
    return time - first.time < leastTime ? '' : pace(done - first.done, total - done, time - first.time);
  };
}

/** Seconds to `45 s`, `12 min` or `3 h 20 min`. */
export function duration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function drawBar(stream: TextStream, { total, unit, now = () => performance.now() }: ProgressOptions): Progress {
  // cli-progress is CommonJS: loaded here, since only a terminal needs it.
  const { SingleBar } = createRequire(import.meta.url)('cli-progress') as typeof CliProgress;
  const paceAt = pacer(total, now);
  const format = `[{bar}] {value}/{total} ${unit}  {pace}`;
  const bar = new SingleBar({
    format,
    stream,
    barsize: 24,
    hideCursor: true,
    clearOnComplete: true,
    linewrap: true,
    barCompleteChar: '=',
    barIncompleteChar: ' ',
  });
  bar.start(total, 0, { pace: '' });
  let done = 0;
  return {
    update: (value) => {
      done = value;
      bar.update(value, { pace: paceAt(value) });
    },
    note: (line) => {
      stream.write(`\r\u001b[K${line}\n`); // over the bar, which is drawn anew below
      bar.update(done);
    },
    stop: () => bar.stop(),
  };
}

function writeLines(stream: TextStream, options: ProgressOptions): Progress {
  const { total, unit, interval = 5000, now = () => performance.now() } = options;
  const paceAt = pacer(total, now);
  let last = now();
  return {
    update: (done) => {
      const time = now();
      const told = paceAt(done);
      if (time - last < interval) return;
      last = time;
      stream.write(`${done}/${total} ${unit}${told === '' ? '' : `, ${told}`}\n`);
    },
    note: (line) => void stream.write(`${line}\n`),
    stop: () => undefined,
  };
}
