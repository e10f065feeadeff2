/**
 * Tests exact resume: `npx tsx -C magface:source bench/kill-resume.ts [KILLS_FROM_OUTSIDE]`. A run of 40 steps kills itself
 * with SIGKILL after step 1, resumes, kills itself after step 2, and so on up to step 39. Then new runs are killed from
 * outside at random moments, possibly while a checkpoint is being written, and resumed. Every loss must equal that of the
 * uninterrupted run, bit for bit.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseTrainConfig, type TrainConfig } from '../packages/magface/src/train/settings/config.ts';
import { tinyRun, writeFaceSet } from '../packages/magface/test/train/face-set.ts';
import { u01 } from '../packages/magface/test/train/golden.ts';
import { runInProcess } from '../packages/magface/test/train/killed-run.ts';
import { writeResult } from './support/result.ts';

const fromOutside = Number(process.argv[2] ?? 10);
const steps = 40;
const folder = mkdtempSync(join(tmpdir(), 'magface kill '));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const trainList = writeFaceSet(folder, 4, 5, 'person ');
const run = { ...tinyRun, batchSize: 2, trainList, epochs: 4, saveSteps: 3 };
const config = (name: string): TrainConfig => parseTrainConfig({ ...run, output: join(`${folder}-runs`, name) });
process.on('exit', () => rmSync(`${folder}-runs`, { recursive: true, force: true }));

const begin = performance.now();
const unbroken = runInProcess(config('unbroken')).losses;
const wholeRun = performance.now() - begin; // milliseconds

/** Steps whose loss differs from the uninterrupted run. */
const differing = (losses: ReadonlyMap<number, number>): number[] =>
  [...losses].filter(([step, loss]) => unbroken.get(step) !== loss).map(([step]) => step);

const chain = config('chain');
const different: number[] = [];
let stepsDoneAgain = -steps;
for (let killAfter = 1; killAfter <= steps; killAfter++) {
  const { losses, signal } = runInProcess(chain, {
    resume: killAfter > 1,
    killAfter: killAfter < steps ? killAfter : undefined,
  });
  if ((signal === null) !== (killAfter === steps))
    throw new Error(`Expected a kill after step ${killAfter} but saw ${signal}.`);
  if (losses.get(killAfter) !== unbroken.get(killAfter)) different.push(killAfter);
  different.push(...differing(losses));
  stepsDoneAgain += losses.size;
}

const moments: { readonly heardOf: number; readonly resumedAt: number }[] = [];
let slowest = wholeRun; // current duration of a run in milliseconds, on a machine with other work
for (const [i, u] of u01('moments', 4 * fromOutside).entries()) {
  if (moments.length === fromOutside) break;
  const broken = config(`outside ${i}`);
  const started = performance.now();
  const first = runInProcess(broken, { killIn: Math.round((0.3 + 0.7 * u) * slowest) });
  different.push(...differing(first.losses));
  if (first.signal === null) slowest = performance.now() - started;
  else {
    const second = runInProcess(broken, { resume: true });
    different.push(...differing(second.losses));
    if (second.losses.size > 0 && !second.losses.has(steps)) different.push(steps);
    moments.push({ heardOf: first.losses.size, resumedAt: Math.min(steps + 1, ...second.losses.keys()) });
  }
  rmSync(broken.output, { recursive: true, force: true });
}

writeResult('kill-resume', {
  arch: tinyRun.arch,
  steps,
  stepsPerEpoch: 10,
  checkpointEverySteps: run.saveSteps,
  killedAfterEachStep: { from: 1, to: steps - 1, stepsDoneAgain },
  killedFromOutside: moments,
  lossesThatDiffer: different.length,
  bitForBit: different.length === 0,
});
process.exitCode = different.length === 0 ? 0 : 1;
