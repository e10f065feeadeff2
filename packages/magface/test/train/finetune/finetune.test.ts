import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { officialInput, type RecogniserContract } from '../../../src/models/contract.ts';
import { loadModel } from '../../../src/models/load-model.ts';
import { floatTensor, type OnnxTensor } from '../../../src/onnx/tensor.ts';
import { openGraph } from '../../../src/train/graph/trainable-graph.ts';
import { writeGraph } from '../../../src/train/graph/write-graph.ts';
import { train } from '../../../src/train/loop/run.ts';
import { parseTrainConfig } from '../../../src/train/settings/config.ts';
import { onnxModel } from '../../support/small-graph.ts';
import { describeTraining, u01 } from '../golden.ts';
import { smallSet, temporaryFolder } from '../small-set.ts';

const weight = (name: string, ...dims: number[]): OnnxTensor => {
  const count = dims.reduce((a, b) => a * b, 1);
  return floatTensor(
    dims,
    u01(name, count).map((value) => value - 0.5),
  );
};

const contract: RecogniserContract = {
  kind: 'recogniser',
  input: officialInput,
  template: 'arcface-112',
  embeddingLength: 8,
  calibration: { centre: 3, width: 0.2, source: 'a test' },
};

/** A stem, a body and a head. @returns the file */
function smallModel(): string {
  const bytes = onnxModel(
    [
      { op: 'Conv', inputs: ['faces', 'stem.weight'], output: 'stem', ints: { strides: [16, 16] } },
      { op: 'PRelu', inputs: ['stem', 'stem.slope'], output: 'active' },
      { op: 'Conv', inputs: ['active', 'body.weight'], output: 'body', ints: { strides: [2, 2] } },
      { op: 'Flatten', inputs: ['body'], output: 'flat' },
      { op: 'Gemm', inputs: ['flat', 'head.weight', 'head.bias'], output: 'features' },
    ],
    {
      stored: {
        'stem.weight': weight('stem', 6, 3, 16, 16),
        'stem.slope': weight('slope', 6, 1, 1),
        'body.weight': weight('body', 6, 6, 3, 3),
        'head.weight': weight('head', 54, 8),
        'head.bias': weight('bias', 8),
      },
    },
  );
  const file = join(temporaryFolder(), 'start.onnx');
  writeFileSync(file, writeGraph(openGraph(bytes, file), contract));
  return file;
}

const trainList = smallSet(4, 6);
const init = smallModel();
const settings = { trainList, init, batchSize: 8, epochs: 2, views: 3, threads: 1, trainLast: 2, printFreq: 2 };

describeTraining('finetuning an ONNX model', () => {
  test('gives the same graph with other weights behind the frozen front, and says by which rule', async () => {
    const output = temporaryFolder();
    const notes: string[] = [];
    const row = await train(parseTrainConfig({ ...settings, output }), { onNote: (line) => notes.push(line) });
    expect(row).toMatchObject({ step: 6, samples: 48, skipped: 0, secondsLeft: 0 });
    expect(notes[0]).toMatch(
      /24 images of 4 people in 3 views each; 764 weights are trained, behind the value active,/,
    );
    expect(notes.find((line) => line.startsWith('Magnitudes of the starting model: p1 '))).toBeDefined();
    expect(notes.find((line) => line.startsWith('By the rule: --l_a '))).toBeDefined();

    const [before, after] = [init, join(output, 'model.onnx')].map((file) => openGraph(readFileSync(file), file));
    for (const [name, tensor] of after!.weights) {
      const same = Buffer.from(tensor.toArray().buffer).equals(
        Buffer.from(before!.weights.get(name)!.toArray().buffer),
      );
      expect(same, name).toBe(name.startsWith('stem'));
    }
    const { contract: written } = await loadModel(join(output, 'model.onnx'), { kind: 'recogniser' });
    expect(written).toMatchObject({ embeddingLength: 8, input: officialInput });
    expect(written.calibration).toBeUndefined(); // it belonged to other weights
  });

  test('twice the same is the same, bit for bit; another seed is not', async () => {
    const models = [];
    for (const seed of [1, 1, 2]) {
      const output = temporaryFolder();
      await train(parseTrainConfig({ ...settings, epochs: 1, seed, output }));
      models.push(readFileSync(join(output, 'model.onnx')));
    }
    expect(models[1]!.equals(models[0]!)).toBe(true);
    expect(models[2]!.equals(models[0]!)).toBe(false);
  });

  test('keeps what the frozen front made of the faces, and gives the same model from it', async () => {
    const frontCache = temporaryFolder();
    const models = [];
    for (const _ of ['made', 'kept']) {
      const output = temporaryFolder();
      await train(parseTrainConfig({ ...settings, epochs: 1, frontCache, output }));
      models.push(readFileSync(join(output, 'model.onnx')));
      const sizes = readdirSync(frontCache)
        .sort()
        .map((file) => [file.replace(/^front-[0-9a-f]{16}-/, ''), statSync(join(frontCache, file)).size]);
      const views = [0, 1, 2].flatMap((view) => [
        [`view${view}.f16`, 24 * 6 * 7 * 7 * 2], // (24, 6, 7, 7) float16
        [`view${view}.start`, 24 * 8 * 4],
      ]);
      expect(sizes).toEqual(views);
    }
    expect(models[1]!.equals(models[0]!)).toBe(true);
  });

  test('trains from the input on, with constants as given', async () => {
    const notes: string[] = [];
    const { trainLast: _, ...all } = settings;
    const config = { ...all, epochs: 1, lowerMagnitude: 0.5, upperMagnitude: 9, output: temporaryFolder() };
    await train(parseTrainConfig(config), { onNote: (line) => notes.push(line) });
    expect(notes[0]).toMatch(/are trained, from the input on\./);
    expect(notes.join('\n')).toMatch(/As given: --l_a 0\.5 --u_a 9 --l_margin 0\.45/);
  });

  test('one face a person in its two clean views tells of no quality, and trains all the same', async () => {
    const config = { ...settings, trainList: smallSet(8, 1), views: 2, lowerMagnitude: 0.5, upperMagnitude: 9 };
    const row = await train(parseTrainConfig({ ...config, output: temporaryFolder() }));
    expect(row).toMatchObject({ step: 2, skipped: 0 });
    expect(row!.loss).toBeGreaterThan(0);
  });

  test.each([true, false])(
    'a batch larger than the set is refused before anything is computed: %s',
    async (freshBatchNorm) => {
      const output = temporaryFolder();
      const notes: string[] = [];
      const config = parseTrainConfig({ ...settings, batchSize: 25, freshBatchNorm, output });
      const error = await train(config, { onNote: (line) => notes.push(line) }).catch((caught: unknown) => caught);
      expect(error).toMatchObject({ code: 'wrong_configuration', key: 'batch-size' });
      expect((error as Error).message).toMatch(/at most the 24 training images but received 25/);
      expect(notes).toEqual([]);
    },
  );

  const whole = { ...settings, saveSteps: 2, averageLast: 0.5, layerDecay: 0.5, freshBatchNorm: true };

  test('goes on after a kill or a stop as if nothing had been, bit for bit', async () => {
    const [unbroken, broken] = [temporaryFolder(), temporaryFolder()];
    await train(parseTrainConfig({ ...whole, output: unbroken }));

    const config = parseTrainConfig({ ...whole, output: broken });
    const killed = (step: number): void => {
      if (step === 4) throw new Error('killed');
    };
    await expect(train(config, { onStep: killed })).rejects.toThrow('killed');
    expect(readdirSync(broken)).toContain('00000-0000002.safetensors');
    expect(readdirSync(broken)).not.toContain('model.onnx');
    const notes: string[] = [];
    const stop = new AbortController();
    const stopped = { resume: true, signal: stop.signal, onNote: (line: string) => notes.push(line) };
    await train(config, { ...stopped, onStep: (step) => step === 5 && stop.abort() });
    expect(notes.at(-1)).toMatch(/^Stopped before the end, with a checkpoint in .*: --resume goes on from there\.$/);
    expect(readdirSync(broken)).not.toContain('model.onnx');
    await train(config, { resume: true });

    const [models, rows] = ['model.onnx', 'metrics.jsonl'].map((name) => {
      return [unbroken, broken].map((folder) => readFileSync(join(folder, name)));
    });
    expect(models![1]!.equals(models![0]!)).toBe(true);
    const figures = (text: Buffer) =>
      text
        .toString()
        .trim()
        .split('\n')
        .map((row) => JSON.parse(row).loss);
    expect(figures(rows![1]!)).toEqual(figures(rows![0]!));
    const model = join(broken, 'model.onnx');
    writeFileSync(model, 'calibrated since');
    expect(await train(config, { resume: true })).toBeUndefined();
    expect(readFileSync(model, 'utf8')).toBe('calibrated since');
    await expect(train(config)).rejects.toMatchObject({ code: 'wrong_configuration', key: 'output' });
  });

  test.each([
    ['averageLast', 0],
    ['layerDecay', 1],
    ['freshBatchNorm', false],
  ])('%s makes another model', async (setting, without) => {
    const models = [];
    for (const given of [whole, { ...whole, [setting]: without }]) {
      const output = temporaryFolder();
      await train(parseTrainConfig({ ...given, output }));
      models.push(readFileSync(join(output, 'model.onnx')));
    }
    expect(models[1]!.equals(models[0]!)).toBe(false);
  });
});

test('an ONNX model is finetuned in small steps by default, a checkpoint is not', () => {
  const output = 'out';
  expect(parseTrainConfig({ trainList, init: 'a.onnx', output })).toMatchObject({
    lr: 5e-3,
    recipe: 'auto',
    epochs: 3,
  });
  expect(parseTrainConfig({ trainList, init: 'a.onnx', output, lambdaG: 2 })).toMatchObject({ recipe: 'given' });
  expect(parseTrainConfig({ trainList, init: 'a.pth', output })).toMatchObject({
    lr: 0.1,
    recipe: 'given',
    epochs: 25,
  });
});
