import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { expect, test, vi } from 'vitest';
import { measureMachine } from '../../../src/train/parallel/measure-machine.ts';
import { describeTraining } from '../golden.ts';

/** Processes that this one started. */
const children = (): number[] =>
  spawnSync('pgrep', ['-P', `${process.pid}`, '-f', 'machine-rank'], { encoding: 'utf8' })
    .stdout.split('\n')
    .filter(Boolean)
    .map(Number);

describeTraining('measuring a machine', () => {
  const task = { arch: 'iresnet18', embeddingSize: 512, precision: 'fp32', images: 8 } as const;

  test.skipIf(availableParallelism() < 2)('ends all processes and names the one that was lost', async () => {
    vi.stubEnv('MAGFACE_CORES', '2');
    const measured = measureMachine({ ...task, ranks: 2 });
    vi.unstubAllEnvs();
    const ended = measured.catch((error: unknown) => error);
    await vi.waitUntil(() => children().length === 2, { timeout: 60_000, interval: 20 });
    const [, second] = children().sort((a, b) => a - b);
    process.kill(second!, 'SIGKILL');
    const error = await ended;
    expect(error).toMatchObject({ code: 'rank_lost' });
    expect((error as Error).message).toMatch(/but one was ended by SIGKILL/);
    expect(children()).toEqual([]);
  });

  test('passes on the error message of a process', async () => {
    await expect(measureMachine({ ...task, arch: 'resnet', ranks: 1 })).rejects.toThrow(
      /one ended with exit code 1 \(.*iresnet18/,
    );
  });
});
