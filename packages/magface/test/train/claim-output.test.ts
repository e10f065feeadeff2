/** One run a folder, and folders that cannot be. */
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { claimOutput } from '../../src/train/loop/resume.ts';
import { withLock } from '../../src/train/loop/train-hooks.ts';
import { parseTrainConfig, type TrainConfig } from '../../src/train/settings/config.ts';
import { temporaryFolder } from './small-set.ts';

const runIn = (output: string): TrainConfig => parseTrainConfig({ trainList: 'faces', output });

test('a second run in the same folder is rejected while the first one runs', async () => {
  const config = runIn(join(temporaryFolder(), 'a', 'run'));
  const lock = await claimOutput(config);
  await expect(claimOutput(config)).rejects.toMatchObject({
    code: 'wrong_configuration',
    key: 'output',
    message: `Expected the output folder ${config.output} to be unused but this process trains into it: wait for it or stop it, or use another --output.`,
  });
  expect(readdirSync(config.output)).toHaveLength(1);
  await lock.release();
  await (await claimOutput(config)).release();
  expect(readdirSync(config.output)).toEqual([]);
});

test('a run stops if it loses its folder', async () => {
  const lock = { expectHeld: () => expect.fail('taken for dead'), release: async () => {} };
  const steps: number[] = [];
  const { onStep } = withLock({ onStep: (step) => steps.push(step) }, lock as never);
  expect(() => onStep!(1, 2, {} as never)).toThrow('taken for dead');
  expect(steps).toEqual([]);
});

test('unfinished files of a killed run are removed', async () => {
  const config = runIn(temporaryFolder());
  const left = ['00001-0000000.safetensors.shard-1', `a.${'0'.repeat(36)}.part`];
  for (const name of [...left, '00001-0000000.safetensors']) writeFileSync(join(config.output, name), '');
  await (await claimOutput(config)).release();
  expect(readdirSync(config.output)).toEqual(['00001-0000000.safetensors']);
});

test.skipIf(!existsSync('/proc/self'))('a file system that allows no folders is reported at once', async () => {
  await expect(claimOutput(runIn('/proc/x'))).rejects.toMatchObject({ code: 'wrong_configuration', key: 'output' });
  await expect(claimOutput(runIn('/proc/x/y'))).rejects.toThrow(
    /Expected to create the folder .* does not allow folders/,
  );
});
