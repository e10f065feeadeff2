import { fromArray } from '@magface/torch';
import { expect, test } from 'vitest';
import { type RankResult, runRanks } from './support/ranks.ts';
import { describeWithTorch } from './support/with-torch.ts';

const run = (size: number, what: string): Promise<RankResult[]> =>
  runRanks(new URL('support/collectives.ts', import.meta.url), size, [what]);

/** What each rank printed. */
async function printed<T>(size: number, what: string): Promise<T[]> {
  const ranks = await run(size, what);
  for (const { status, stderr } of ranks) expect([status, stderr]).toEqual([0, '']);
  return ranks.map(({ stdout }) => JSON.parse(stdout) as T);
}

describeWithTorch('a process group over Gloo', () => {
  test('sum, greatest, broadcast, gather, reduce-scatter', async () => {
    const expected = (rank: number) => [[3, 3], [2, 0], [11], '0,0,1,2,2,4', [3 * rank + 3], true];
    expect(await printed(3, 'collectives')).toEqual([0, 1, 2].map(expected));
  });

  test('a rank that was killed is named by those that are left', async () => {
    const ranks = await run(3, 'killed');
    expect(ranks.map(({ stdout, status }) => [stdout, status])).toEqual([
      ['[1]\n', 0],
      ['', null],
      ['[1]\n', 0],
    ]);
  });

  test('a rank that hangs is named once the time is over', async () => {
    const [first, second] = await run(3, 'stuck');
    expect([first!.stdout, second!.stdout]).toEqual(['[2]\n', '[2]\n']);
  });

  test('BatchNorm and gradients are those of one process with all rows', async () => {
    const x = fromArray(
      Float32Array.from(Array.from({ length: 7 }, (_, i) => [Math.sin(i), Math.cos(3 * i), i * i]).flat()),
      [7, 3],
    );
    const [weight, bias] = [fromArray(Float32Array.of(0.5, 2, -1)), fromArray(Float32Array.of(0.1, 0.2, 0.3))];
    const [mean, variance] = [fromArray(new Float32Array(3)), fromArray(Float32Array.of(1, 1, 1))];
    for (const leaf of [x, weight, bias]) leaf.requiresGrad = true;
    x.batchNorm(weight, bias, mean, variance, true, 0.9, 2e-5, true).pow(3).sum().backward();

    const close = (actual: readonly number[], wanted: ArrayLike<number | bigint>): void =>
      actual.forEach((value, i) => void expect(value).toBeCloseTo(Number(wanted[i]), 4));
    for (const size of [1, 2, 3]) {
      for (const one of await printed<{ rows: number[]; x: number[]; all: number[][] }>(size, 'gradients')) {
        const gradients = x.grad!.toArray();
        close(
          one.x,
          one.rows.flatMap((row) => [0, 1, 2].map((column) => Number(gradients[3 * row + column]))),
        );
        for (const [i, tensor] of [weight.grad!, bias.grad!, mean, variance].entries()) {
          close(one.all[i]!, tensor.toArray());
        }
      }
    }
  });
});
