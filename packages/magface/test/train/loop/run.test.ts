import { existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { aliveTensors } from '@magface/torch';
import { beforeAll, expect, test } from 'vitest';
import { checkpointName, listCheckpoints, readCheckpoint } from '../../../src/train/loop/checkpoint-file.ts';
import { train } from '../../../src/train/loop/run.ts';
import type { TrainHooks } from '../../../src/train/loop/train-hooks.ts';
import { readMetrics } from '../../../src/train/record/metrics.ts';
import { parseTrainConfig, type TrainConfig } from '../../../src/train/settings/config.ts';
import { describeTraining } from '../golden.ts';
import { smallSet, temporaryFolder, tinyRun } from '../small-set.ts';

const settings = { ...tinyRun, epochs: 3, printFreq: 4 };

const configOf = (trainList: string, more: object = {}): TrainConfig =>
  parseTrainConfig({ ...settings, trainList, output: temporaryFolder(), saveSteps: 2, ...more });

/** Runs, and gives the loss of each step. */
async function lossesOf(config: TrainConfig, hooks: TrainHooks = {}): Promise<Map<number, number>> {
  const losses = new Map<number, number>();
  await train(config, { ...hooks, onStep: (step, _, { loss }) => void losses.set(step, loss) });
  return losses;
}

describeTraining('a training run', () => {
  let unbroken: TrainConfig;
  const expected = new Map<number, number>();
  const alive: number[] = [];
  beforeAll(async () => {
    unbroken = configOf(smallSet(4, 5)); // 5 steps an epoch; the set is the same each time it is made
    await train(unbroken, {
      onStep: (step, _, { loss }) => {
        expected.set(step, loss);
        alive.push(aliveTensors());
      },
    });
  });

  test('does not accumulate tensors over epochs, checkpoints and reports', () => {
    expect(alive).toHaveLength(15);
    expect(Math.max(...alive.slice(1))).toBe(alive[1]);
  });

  test('gives the same losses and rows after a stop in mid-epoch and a resume, bit for bit', async () => {
    expect(expected.size).toBe(15);

    const broken = configOf(smallSet(4, 5));
    const stop = new AbortController();
    const first = new Map<number, number>();
    const onStep: TrainHooks['onStep'] = (step, _, { loss }) => {
      first.set(step, loss);
      if (step === 7) stop.abort();
    };
    await train(broken, { signal: stop.signal, onStep });
    expect(first.size).toBe(7);
    const rest = await lossesOf(broken, { resume: true });
    expect([...first, ...rest]).toEqual([...expected]);
    const rows = (config: TrainConfig) =>
      readMetrics(join(config.output, 'metrics.jsonl')).map((row) =>
        Object.fromEntries(
          Object.entries(row).filter(([key]) => !/^(imagesPerSecond|secondsLeft|memory.*)$/.test(key)),
        ),
      );
    expect(rows(broken)).toEqual(rows(unbroken));
    expect(rows(broken).map((row) => row['step'])).toEqual([4, 8, 12, 15]);
  });

  const drawn = { sampling: 'people', degrade: 0.5, degradeKinds: ['colour', 'mask', 'jpeg'] };
  test.each([
    ['draws by person, damage, parts and a mean of weights', 'mean.features.', { ...drawn, ema: 0.9, accumulate: 2 }],
    [
      'AdamW, smoothed labels and a teacher',
      'squares.teacher.projection',
      { optimizer: 'adamw', labelSmoothing: 0.1, teacher: 'magface-small', teacherLogits: 1, accumulate: 2 },
    ],
  ])('with %s, it goes on the same after a stop, bit for bit', async (_, kept, given) => {
    const more = { ...given, epochs: 2, lr: 0.001 };
    const whole = configOf(smallSet(4, 5), more);
    const all = await lossesOf(whole);
    const broken = configOf(smallSet(4, 5), more);
    const [stop, first] = [new AbortController(), new Map<number, number>()];
    await train(broken, {
      signal: stop.signal,
      onStep: (step, __, { loss }) => {
        first.set(step, loss);
        if (step === 3) stop.abort();
      },
    });
    const rest = await lossesOf(broken, { resume: true });
    expect([...first, ...rest]).toEqual([...all]);
    const last = async ({ output }: TrainConfig) => (await readCheckpoint(listCheckpoints(output)[0]!)).tensors;
    const [a, b] = [await last(whole), await last(broken)];
    expect([...b.keys()].some((name) => name.startsWith(kept))).toBe(true);
    expect(b).toEqual(a);
  });

  test('of another loss gives the same losses after a stop and a resume, and a report without m(a)', async () => {
    const more = { epochs: 2, loss: 'adaface', lossConstants: ['alpha=0.5'] };
    const whole = configOf(smallSet(4, 5), more);
    const all = await lossesOf(whole);
    expect(readFileSync(join(whole.output, 'report.html'), 'utf8')).not.toMatch(/margin m\(a\)|m\(a\), radians/);
    const broken = configOf(smallSet(4, 5), more);
    const [stop, first] = [new AbortController(), new Map<number, number>()];
    await train(broken, {
      signal: stop.signal,
      onStep: (step, _, { loss }) => {
        first.set(step, loss);
        if (step === 3) stop.abort();
      },
    });
    const rest = await lossesOf(broken, { resume: true });
    expect([...first, ...rest]).toEqual([...all]);
  });

  test('skips a damaged checkpoint by name and uses the one before it', async () => {
    const config = configOf(smallSet(2, 4), { epochs: 2 }); // 2 steps an epoch
    await lossesOf(config);
    const [newest, before] = listCheckpoints(config.output);
    truncateSync(newest!, 1000);
    const notes: string[] = [];
    const losses = await lossesOf({ ...config, lr: 0.02 }, { resume: true, onNote: (line) => notes.push(line) });
    expect(notes).toContain('Settings that have changed since: lr 0.01 to 0.02.');
    expect(notes.find((line) => line.includes(newest!))).toMatch(/Trying the previous one/);
    expect(notes.find((line) => line.startsWith('Continuing from'))).toContain(before!);
    expect([...losses.keys()]).toEqual([3, 4]);
    for (const file of listCheckpoints(config.output)) writeFileSync(file, 'no');
    await expect(train(config, { resume: true })).rejects.toThrow(/none of its 2 is/);
  });

  test('says how to continue when stopped, and leaves all files unchanged when resumed after the end', async () => {
    const config = configOf(smallSet(2, 4), { epochs: 2 });
    const [stop, notes] = [new AbortController(), [] as string[]];
    const onNote = (line: string): void => void notes.push(line);
    await train(config, { signal: stop.signal, onNote, onStep: () => stop.abort() });
    expect(notes.at(-1)).toBe(`Stopped before the end, with a checkpoint in ${config.output}: continue with --resume.`);
    await train(config, { resume: true });
    const files = ['report.html', 'pictures.json', 'metrics.jsonl'].map((name) => join(config.output, name));
    const before = files.map((file) => readFileSync(file, 'utf8'));
    expect(await train(config, { resume: true })).toBeUndefined();
    expect(files.map((file) => readFileSync(file, 'utf8'))).toEqual(before);
  });

  test('keeps every row when resumed with a larger batch', async () => {
    const config = configOf(smallSet(4, 5), { epochs: 1, printFreq: 1, maxSteps: 4 });
    await train(config);
    await train({ ...config, batchSize: 8, epochs: 2, maxSteps: undefined }, { resume: true });
    const rows = readMetrics(join(config.output, 'metrics.jsonl'));
    expect(rows.map(({ step }) => step)).toEqual([1, 2, 3, 4, 3, 4]); // 2 of 8 images an epoch; the first epoch had 16 of 20
    expect(rows.map(({ samples }) => samples)).toEqual([4, 8, 12, 16, 24, 32]);
  });

  test('rejects an output that is a file, or lies in one, by name', async () => {
    const file = join(temporaryFolder(), 'run');
    writeFileSync(file, '');
    const trainList = smallSet(2, 4);
    for (const output of [file, join(file, 'deep')]) {
      const refused = train(configOf(trainList, { output }));
      await expect(refused).rejects.toMatchObject({ code: 'wrong_configuration', key: 'output' });
      await expect(refused).rejects.toThrow(`${output} is a file, or lies in one`);
    }
  });

  test('names the checkpoint it resumed from if it diverges at once', async () => {
    const config = configOf(smallSet(4, 5), { epochs: 3, maxSteps: 2 });
    await train(config);
    const [newest] = listCheckpoints(config.output);
    const diverging = { ...config, lr: 1e38, maxSteps: undefined, saveSteps: undefined, saveEpochs: 100 };
    await expect(train(diverging, { resume: true })).rejects.toMatchObject({
      code: 'training_diverged',
      message: expect.stringContaining(`continue from ${newest}.`),
    });
  });

  test('reports memory in its rows: peak, cache, and almost every block reused', () => {
    const last = readMetrics(join(unbroken.output, 'metrics.jsonl')).at(-1)!;
    expect(last.memoryPeak).toBeGreaterThan(5);
    expect(last.memoryKept).toBeGreaterThan(5);
    expect(last.memoryReused).toBeGreaterThan(0.95);
  });

  test('keeps the newest checkpoints, refuses to overwrite a run, and reports a lambda_g that is too low', async () => {
    const config = configOf(smallSet(2, 4), { epochs: 4, keep: 2, lambdaG: 20 });
    const notes: string[] = [];
    await train(config, { onNote: (line) => notes.push(line) });
    expect(listCheckpoints(config.output).map((file) => basename(file))).toEqual([
      checkpointName(4, 0),
      checkpointName(3, 0),
    ]);
    expect(notes[0]).toMatch(/lambda_g is 20, below its lower bound 22.59: .* Use --lambda_g 23 or more/);
    await expect(train(config)).rejects.toThrow(/add --resume/);
  });

  test('uses the official names, so that other tools read its checkpoints', async () => {
    const config = configOf(smallSet(2, 4), { epochs: 1 });
    await train(config);
    const { tensors, state } = await readCheckpoint(listCheckpoints(config.output)[0]!);
    expect(tensors.get('fc.weight')?.shape).toEqual([32, 2]);
    expect(tensors.get('features.stage0.down.conv.weight')?.shape).toEqual([16, 3, 3, 3]);
    expect([...tensors.get('features.stage0.down.bn.num_batches_tracked')!.bytes]).toEqual([2, 0, 0, 0, 0, 0, 0, 0]);
    expect(tensors.get('optimizer.fc.weight')?.shape).toEqual([32, 2]);
    expect(state).toMatchObject({ arch: 'own-network', classes: 2, position: { epoch: 1, step: 0 } });
    expect(existsSync(join(config.output, 'metrics.jsonl'))).toBe(true);
  });

  test('reduces the loss on an easy set', async () => {
    const easy = {
      batchSize: 8,
      scale: 16,
      lambdaG: 1,
      lowerMagnitude: 1,
      upperMagnitude: 20,
      lowerMargin: 0.1,
      upperMargin: 0.3,
    };
    const config = configOf(smallSet(2, 4), {
      ...easy,
      epochs: 12,
      saveEpochs: 12,
      saveSteps: undefined,
      printFreq: 3,
    });
    await train(config);
    const losses = readMetrics(join(config.output, 'metrics.jsonl')).map(({ loss }) => loss);
    expect(losses).toHaveLength(4);
    expect(losses[3]).toBeLessThan(losses[0]! / 2);
  });
});
