/** A training run in a process of its own, which may be killed. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { TrainConfig } from '../../src/train/settings/config.ts';

/** What was heard of a process. */
export interface RunPart {
  /** Loss of each step that it told of, bit for bit. */
  readonly losses: ReadonlyMap<number, number>;
  /** `SIGKILL`, or null when it came to its end. */
  readonly signal: NodeJS.Signals | null;
}

/** How a part of a run ends. */
export interface RunPartOptions {
  /** @default false */
  readonly resume?: boolean;
  /** The step after whose loss the process kills itself. @default none */
  readonly killAfter?: number | undefined;
  /** Milliseconds after which it is killed from outside, whatever it is about then. @default never */
  readonly killIn?: number;
}

/** What was built, since a process starts three times faster from it than from the sources. */
const trainer = JSON.stringify(new URL('../../dist/train/index.js', import.meta.url).href);

/** Trains until the end or the kill. SIGKILL cannot be caught: nothing is flushed, written or closed. */
export function runInProcess(config: TrainConfig, options: RunPartOptions = {}): RunPart {
  const { resume = false, killAfter, killIn } = options;
  const script = `
    import { writeSync } from 'node:fs';
    import { train } from ${trainer};
    const onStep = (step, _, { loss }) => {
      writeSync(1, JSON.stringify([step, loss]) + '\\n');
      if (step === ${killAfter}) process.kill(process.pid, 'SIGKILL');
    };
    await train(${JSON.stringify(config)}, { resume: ${resume}, onStep });`;
  const { stdout, stderr, signal, status } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    cwd: fileURLToPath(new URL('.', import.meta.url)),
    killSignal: 'SIGKILL',
    ...(killIn !== undefined && { timeout: killIn }),
  });
  if (signal === null && status !== 0) throw new Error(`The run ended with ${status}: ${stderr}`);
  const lines = stdout.split('\n').filter((line) => line.endsWith(']'));
  return { losses: new Map(lines.map((line) => JSON.parse(line) as [number, number])), signal };
}
