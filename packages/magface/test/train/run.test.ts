import { spawn } from 'node:child_process';
import { existsSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { aliveTensors, threads } from '@magface/torch';
import { beforeAll, expect, test } from 'vitest';
import { checkpointName, listCheckpoints, readCheckpoint } from '../../src/train/checkpoint-file.ts';
import { parseTrainConfig, type TrainConfig } from '../../src/train/config.ts';
import { iresnet } from '../../src/train/iresnet.ts';
import { readMetrics } from '../../src/train/metrics.ts';
import { type TrainHooks, train } from '../../src/train/run.ts';
import { Trainer, toImages } from '../../src/train/trainer.ts';
import { describeTraining, u01 } from './golden.ts';
import { smallSet, temporaryFolder, tinyRun } from './small-set.ts';

const settings = { ...tinyRun, epochs: 3, printFreq: 4 };

const configOf = (trainList: string, more: object = {}): TrainConfig =>
  parseTrainConfig({ ...settings, trainList, output: temporaryFolder(), saveSteps: 2, ...more });

/** Runs, and gives the loss of each step. */
async function lossesOf(config: TrainConfig, hooks: TrainHooks = {}): Promise<Map<number, number>> {
  const losses = new Map<number, number>();
  await train(config, { ...hooks, onStep: (step, _, { loss }) => void losses.set(step, loss) });
  return losses;
}

describeTraining('a training run', [], () => {
  let unbroken: TrainConfig;
  let expected: Map<number, number>;
  beforeAll(async () => {
    unbroken = configOf(smallSet(4, 5)); // 5 steps an epoch; the set is the same each time it is made
    expected = await lossesOf(unbroken);
  });

  test('stopped in mid-epoch and resumed gives the same losses and rows, bit for bit', async () => {
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
      readMetrics(join(config.output, 'metrics.jsonl')).map(({ imagesPerSecond: _, secondsLeft: __, ...row }) => row);
    expect(rows(broken)).toEqual(rows(unbroken));
    expect(rows(broken).map(({ step }) => step)).toEqual([4, 8, 12, 15]);
  });

  test('killed with SIGKILL and resumed gives the same losses', async () => {
    const broken = configOf(smallSet(4, 5));
    const script = `
      import { train } from ${JSON.stringify(fileURLToPath(new URL('../../dist/train/run.js', import.meta.url)))};
      await train(${JSON.stringify(broken)}, { onStep: (step) => console.log(step) });`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise<void>((resolve) => {
      child.stdout.on('data', (text: Buffer) => text.toString().split('\n').includes('8') && child.kill('SIGKILL'));
      child.on('exit', () => resolve());
    });
    const rest = await lossesOf(broken, { resume: true });
    expect(rest.size).toBeGreaterThan(3);
    expect(rest.size).toBeLessThan(15);
    expect([...rest]).toEqual([...expected].slice(-rest.size));
  });

  test('passes over a damaged checkpoint by name and takes the one before it', async () => {
    const config = configOf(smallSet(2, 4), { epochs: 2 }); // 2 steps an epoch
    await lossesOf(config);
    const [newest, before] = listCheckpoints(config.output);
    truncateSync(newest!, 1000);
    const notes: string[] = [];
    const losses = await lossesOf({ ...config, lr: 0.02 }, { resume: true, onNote: (line) => notes.push(line) });
    expect(notes).toContain('Settings that changed since: lr 0.01 to 0.02.');
    expect(notes.find((line) => line.includes(newest!))).toMatch(/Trying the one before it/);
    expect(notes.find((line) => line.startsWith('Going on from'))).toContain(before!);
    expect([...losses.keys()]).toEqual([3, 4]);
    for (const file of listCheckpoints(config.output)) writeFileSync(file, 'no');
    await expect(train(config, { resume: true })).rejects.toThrow(/none of its 2 is/);
  });

  test('keeps the newest checkpoints, refuses to write over a run, and says a lambda_g that is too low', async () => {
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

  test('holds the official names, so that other tools read its checkpoints', async () => {
    const config = configOf(smallSet(2, 4), { epochs: 1 });
    await train(config);
    const { tensors, state } = await readCheckpoint(listCheckpoints(config.output)[0]!);
    expect(tensors.get('fc.weight')?.shape).toEqual([32, 2]);
    expect(tensors.get('features.conv1.conv.weight')?.shape).toEqual([64, 3, 3, 3]);
    expect([...tensors.get('features.conv1.bn.num_batches_tracked')!.bytes]).toEqual([2, 0, 0, 0, 0, 0, 0, 0]);
    expect(tensors.get('optimizer.fc.weight')?.shape).toEqual([32, 2]);
    expect(state).toMatchObject({ arch: 'mobilefacenet', classes: 2, position: { epoch: 1, step: 0 } });
    expect(existsSync(join(config.output, 'metrics.jsonl'))).toBe(true);
  });

  test('learns: the loss falls on a set that is easy', async () => {
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

describeTraining('a trainer', [], () => {
  const trainer = (): Trainer =>
    new Trainer({ architecture: { ...iresnet('iresnet18', 16) }, classes: 3, loss: {}, precision: 'fp32' });
  const batch = () => ({
    faces: Uint8Array.from(u01('faces', 2 * 112 * 112 * 3), (u) => u * 255),
    labels: BigInt64Array.of(0n, 2n),
    indices: Uint32Array.of(0, 1),
  });

  test('images are BGR over 255 as (N, 3, 112, 112)', () => {
    const faces = new Uint8Array(112 * 112 * 3);
    faces.set([0, 51, 255]);
    const images = toImages(faces);
    expect(images.shape).toEqual([1, 3, 112, 112]);
    expect([0, 1, 2].map((c) => Number(images.toArray()[c * 112 * 112]))).toEqual([0, Math.fround(0.2), 1]);
  });

  test('a step that is not finite changes no weight and no statistic, and names what was wrong', () => {
    threads(1);
    const one = trainer();
    const bias = one.network.tensors.get('bn1.bias')!.detach();
    bias.fill_(Number.POSITIVE_INFINITY);
    const before = one.network.tensors.get('bn1.running_mean')!.toArray();
    const centers = one.centers.toArray();
    const result = one.step(batch(), 0.1);
    expect(result.skipped?.sample).toBe(0);
    expect(result.skipped?.reason).toMatch(/the features of sample 0 of the batch and the gradient of conv1.weight/);
    expect(one.centers.toArray()).toEqual(centers);
    expect(one.network.tensors.get('bn1.running_mean')!.toArray()).toEqual(before);
    bias.fill_(0);
    expect(one.step(batch(), 0.1).skipped).toBeUndefined();
  });

  test('black images and a center equal to the feature leave every weight finite', () => {
    const one = trainer();
    const black = { ...batch(), faces: new Uint8Array(2 * 112 * 112 * 3) };
    for (let step = 0; step < 3; step++) one.step(black, 0.1);
    for (const [name, tensor] of one.network.tensors) expect(tensor.isfinite().all().item(), name).toBe(1);
  });

  test('steps leave no tensor behind', () => {
    const one = trainer();
    one.step(batch(), 0.01);
    const before = aliveTensors();
    for (let step = 0; step < 3; step++) one.step(batch(), 0.01);
    expect(aliveTensors()).toBe(before);
  });
});
