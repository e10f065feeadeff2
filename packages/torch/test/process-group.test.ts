import type { Tensor } from '@magface/torch';
import { expect, test } from 'vitest';
import { batchNormCase, startStatistics } from './support/batch-norm-case.ts';
import { type RankResult, runRanks } from './support/ranks.ts';
import { describeWithTorch } from './support/with-torch.ts';

const run = (size: number, ...words: readonly string[]): Promise<RankResult[]> =>
  runRanks(new URL('support/collectives.ts', import.meta.url), size, words);

/** What each rank printed. */
async function printed<T>(size: number, ...words: readonly string[]): Promise<T[]> {
  const ranks = await run(size, ...words);
  for (const { status, stderr } of ranks) expect([status, stderr]).toEqual([0, '']);
  return ranks.map(({ stdout }) => JSON.parse(stdout) as T);
}

interface Gradients {
  readonly rows: number[];
  readonly own: number[][];
  readonly all: number[][];
}

// 3 channels take libtorch's operators, 32 the fused loops.
const channelCounts = [3, 32];
const started = new Map<number, Promise<Gradients[][]>>();

/** What each rank of a group of this size found, by count of channels; the processes are started once. */
function gradientsOf(size: number): Promise<Gradients[][]> {
  const found = started.get(size) ?? printed<Gradients[]>(size, 'gradients', ...channelCounts.map(String));
  started.set(size, found);
  return found;
}

describeWithTorch('a process group over Gloo', () => {
  test('computes sum, maximum, broadcast, gather and reduce-scatter', async () => {
    const expected = (rank: number) => [[3, 3], [2, 0], [11], '0,0,1,2,2,4', [3 * rank + 3], true];
    expect(await printed(3, 'collectives')).toEqual([0, 1, 2].map(expected));
  });

  test('names a killed rank on all others', async () => {
    const ranks = await run(3, 'killed');
    expect(ranks.map(({ stdout, status }) => [stdout, status])).toEqual([
      ['[1]\n', 0],
      ['', null],
      ['[1]\n', 0],
    ]);
  });

  test('names a hanging rank after the timeout', async () => {
    const [first, second] = await run(3, 'stuck');
    expect([first!.stdout, second!.stdout]).toEqual(['[2]\n', '[2]\n']);
  });

  test.each(channelCounts)(
    'gives BatchNorm of %i channels and its gradients as in one process with all rows',
    async (channels) => {
      const { x, residual, ...learned } = batchNormCase([0, 1, 2, 3, 4, 5, 6], channels);
      const { weight, bias, slope } = learned;
      const { runningMean: mean, runningVariance: variance } = startStatistics(channels);
      for (const leaf of [x, residual, ...Object.values(learned)]) leaf.requiresGrad = true;
      const normalized = x.batchNorm(weight, bias, mean, variance, true, 0.9, 2e-5, true);
      normalized.prelu(slope).add(residual).pow(3).sum().backward();

      const numbers = (tensor: Tensor): number[] => Array.from(tensor.toArray(), Number);
      const close = (actual: readonly number[], wanted: readonly number[]): void => {
        const greatest = Math.max(...wanted.map(Math.abs));
        actual.forEach((value, i) => void expect(Math.abs(value - wanted[i]!) / greatest).toBeLessThan(1e-5));
      };
      const wanted = [weight.grad!, bias.grad!, slope.grad!, mean, variance].map(numbers);
      for (const size of [1, 2, 3]) {
        for (const ofChannels of await gradientsOf(size)) {
          const one = ofChannels[channelCounts.indexOf(channels)]!;
          for (const [i, leaf] of [x, residual].entries()) {
            const whole = numbers(leaf.grad!);
            close(
              one.own[i]!,
              one.rows.flatMap((row) => whole.slice(row * channels, (row + 1) * channels)),
            );
          }
          for (const [i, values] of wanted.entries()) close(one.all[i]!, values);
        }
      }
    },
  );
});
