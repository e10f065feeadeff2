/**
 * Exact resume: `npx tsx -C magface:source bench/kill-resume.ts [KILLS_FROM_OUTSIDE]`. A run of 40 steps is killed with
 * SIGKILL after each step 1 to 39 in turn, one fresh run each, and resumed; then others are killed from outside at
 * moments drawn at random, which may fall within a checkpoint's writing. Every loss must be that of the unbroken run.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseTrainConfig, type TrainConfig } from '../packages/magface/src/train/config.ts';
import { tinyRun, writeFaceSet } from '../packages/magface/test/train/face-set.ts';
import { u01 } from '../packages/magface/test/train/golden.ts';
import { type RunPartOptions, runInProcess } from '../packages/magface/test/train/killed-run.ts';
import { writeResult } from './support/result.ts';

const fromOutside = Number(process.argv[2] ?? 10);
const steps = 40;
const folder = mkdtempSync(join(tmpdir(), 'magface kill '));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const trainList = writeFaceSet(folder, 4, 5, 'person ');
const run = { ...tinyRun, batchSize: 2, trainList, epochs: 4, saveSteps: 3 };
const config = (name: string): TrainConfig => parseTrainConfig({ ...run, output: join(`${folder}-runs`, name) });
process.on('exit', () => rmSync(`${folder}-runs`, { recursive: true, force: true }));

const unbroken = runInProcess(config('unbroken')).losses;

/** Steps of both parts whose loss is another than the unbroken run's, or that are missing. */
function differences(
  name: string,
  kill: RunPartOptions,
): { readonly different: number[]; readonly killedAfter: number } {
  const broken = config(name);
  const first = runInProcess(broken, kill);
  const second = runInProcess(broken, { resume: true });
  rmSync(broken.output, { recursive: true, force: true });
  const all = [...first.losses, ...second.losses];
  const different = all.filter(([step, loss]) => unbroken.get(step) !== loss).map(([step]) => step);
  const seen = new Set(all.map(([step]) => step));
  const missing = [...unbroken.keys()].filter((step) => !seen.has(step));
  return { different: [...different, ...missing], killedAfter: [...first.losses.keys()].at(-1) ?? 0 };
}

const start = performance.now();
const each = Array.from({ length: steps - 1 }, (_, i) => differences(`after ${i + 1}`, { killAfter: i + 1 }));
const whole = (performance.now() - start) / each.length; // milliseconds of a broken run
const outside = [...u01('moments', fromOutside)].map((u, i) =>
  differences(`outside ${i}`, { killIn: Math.round((0.2 + 0.6 * u) * whole) }),
);
const differ = [...each, ...outside].filter(({ different }) => different.length > 0);

writeResult('kill-resume', {
  arch: tinyRun.arch,
  steps,
  stepsPerEpoch: 10,
  checkpointEverySteps: run.saveSteps,
  killedAfterEachStep: { from: 1, to: steps - 1, runs: each.length },
  killedFromOutsideAfterSteps: outside.map(({ killedAfter }) => killedAfter),
  lossesThatDiffer: differ.reduce((sum, { different }) => sum + different.length, 0),
  bitForBit: differ.length === 0,
});
process.exitCode = differ.length === 0 ? 0 : 1;
