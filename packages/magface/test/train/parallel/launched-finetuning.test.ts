/** `magface train --init MODEL.onnx --nproc`: the same finetuning whatever the number of processes. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { openGraph } from '../../../src/graph/torch/open-graph.ts';
import type { ValidationRow } from '../../../src/train/loop/validate.ts';
import { readMetrics, readRows } from '../../../src/train/record/metrics.ts';
import { smallModel } from '../finetune/small-model.ts';
import { describeTraining } from '../golden.ts';
import { smallSet, temporaryFolder } from '../small-set.ts';

const program = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));

describeTraining('finetuning in several processes', () => {
  const set = smallSet(5, 5, 'person-'); // 25 faces: 3 steps of 7, which 2 does not divide
  const evalPairs = join(set, 'pairs.list');
  const pairs = Array.from({ length: 40 }, (_, i) => {
    const [a, b] = [i % 5, i % 2 === 0 ? i % 5 : (i + 1) % 5];
    return `person-${a}/${i % 3}.jpg person-${b}/3.jpg ${a === b ? 1 : 0}`;
  });
  writeFileSync(evalPairs, pairs.join('\n'));
  const least = ['--train-list', set, '--init', smallModel(), '--batch-size', '7', '--epochs', '1', '--views', '3'];
  const machine = ['--workers', '0', '--threads', '1', '--print-freq', '1', '--save-steps', '1'];
  const judged = ['--eval-pairs', evalPairs, '--eval-root', set];

  function finetune(output: string, more: readonly string[]): void {
    const words = [program, 'train', ...least, ...machine, ...judged, '--output', output, ...more];
    const { status, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
    expect(status, stderr).toBe(0);
  }

  const lossesIn = (folder: string): number[] => readMetrics(join(folder, 'metrics.jsonl')).map(({ loss }) => loss);
  const namesIn = (folder: string): string[] => readdirSync(folder).filter((name) => !name.startsWith('events'));

  /** Greatest distance of a weight, as a share of the greatest change that finetuning made to it. */
  function apart(one: string, two: string): number {
    const [start, a, b] = [least[3]!, join(one, 'model.onnx'), join(two, 'model.onnx')].map((file) => {
      const { weights } = openGraph(readFileSync(file), file);
      return [...weights.values()].flatMap((tensor) => Array.from(tensor.toArray(), Number));
    }) as [number[], number[], number[]];
    const greatest = (from: number[], to: number[]): number =>
      from.reduce((most, value, i) => Math.max(most, Math.abs(value - to[i]!)), 0);
    expect(greatest(start, a)).toBeGreaterThan(1e-6);
    return greatest(a, b) / greatest(start, a);
  }

  test.each([
    ['behind a frozen front', ['--train-last', '2']],
    ['whole', ['--layer-decay', '0.5', '--average-last', '0.5']],
  ])('%s: two processes and one give the same losses, files, validation and weights', (_, more) => {
    const [one, two] = [temporaryFolder(), temporaryFolder()];
    finetune(one, more);
    finetune(two, [...more, '--nproc', '2']);
    const losses = lossesIn(one);
    expect(losses).toHaveLength(3);
    for (const [step, loss] of lossesIn(two).entries()) expect(loss / losses[step]!, `step ${step}`).toBeCloseTo(1, 4);
    expect(namesIn(two)).toEqual(namesIn(one));
    expect(readRows<ValidationRow>(join(two, 'validation.jsonl'))).toHaveLength(1);
    expect(apart(one, two)).toBeLessThan(1e-2);
  });

  test('one process continues where two stopped; BatchNorm takes its statistics over both', () => {
    const [one, two] = [temporaryFolder(), temporaryFolder()];
    const more = ['--train-last', '2', '--fresh-batch-norm', '--front-cache', temporaryFolder()];
    finetune(two, [...more, '--nproc', '2', '--max-steps', '2']);
    finetune(one, more); // by the front that two processes kept
    finetune(two, [...more, '--resume']);
    const losses = lossesIn(one);
    expect(lossesIn(two)).toHaveLength(3);
    for (const [step, loss] of lossesIn(two).entries()) expect(loss / losses[step]!, `step ${step}`).toBeCloseTo(1, 3);
  });
});
