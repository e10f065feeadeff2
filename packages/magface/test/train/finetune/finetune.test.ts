import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openGraph } from '../../../src/graph/torch/open-graph.ts';
import { officialInput } from '../../../src/models/contract.ts';
import { loadModel } from '../../../src/models/load-model.ts';
import { train } from '../../../src/train/loop/run.ts';
import type { ValidationRow } from '../../../src/train/loop/validate.ts';
import { readRows } from '../../../src/train/record/metrics.ts';
import { parseTrainConfig } from '../../../src/train/settings/config.ts';
import { describeTraining } from '../golden.ts';
import { smallSet, temporaryFolder } from '../small-set.ts';
import { smallModel } from './small-model.ts';

const trainList = smallSet(4, 6);
const init = smallModel();
const settings = {
  trainList,
  init,
  batchSize: 8,
  epochs: 2,
  views: 3,
  threads: 1,
  workers: 0,
  trainLast: 2,
  printFreq: 2,
};

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
      expect((error as Error).message).toMatch(/at most 24 \(the number of training images\) but received 25/);
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
    expect(notes.at(-1)).toMatch(/^Stopped before the end, with a checkpoint in .*: continue with --resume\.$/);
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
    ['startShare', 0.5],
  ])('%s makes another model', async (setting, other) => {
    const models = [];
    const given = setting === 'startShare' ? { ...whole, freshBatchNorm: false } : whole;
    for (const one of [given, { ...given, [setting]: other }]) {
      const output = temporaryFolder();
      await train(parseTrainConfig({ ...one, output }));
      models.push(readFileSync(join(output, 'model.onnx')));
    }
    expect(models[1]!.equals(models[0]!)).toBe(false);
  });

  test('a share of the initial weights excludes new BatchNorms, which have none', () => {
    const both = { ...settings, startShare: 0.5, freshBatchNorm: true, output: temporaryFolder() };
    expect(() => parseTrainConfig(both)).toThrow('Expected --start-share 0 with --fresh-batch-norm');
  });
});

describeTraining('validation while an ONNX model is finetuned', () => {
  const people = 4;
  const set = smallSet(people, 4, 'person-');
  const evalPairs = join(set, 'pairs.list');
  const pairs = Array.from({ length: 40 }, (_, i) => {
    const [a, b] = [i % people, i % 2 === 0 ? i % people : (i + 1) % people];
    return `person-${a}/${i % 3}.jpg person-${b}/3.jpg ${a === b ? 1 : 0}`;
  });
  writeFileSync(evalPairs, pairs.join('\n'));
  const judged = { ...settings, evalPairs, evalRoot: set, saveSteps: 2 };
  const validationIn = (output: string) => readRows<ValidationRow>(join(output, 'validation.jsonl'));

  test('changes no weight, and keeps the best model as a file of its own that the commands read', async () => {
    const [plain, output] = [temporaryFolder(), temporaryFolder()];
    await train(parseTrainConfig({ ...settings, output: plain }));
    const heard: ValidationRow[] = [];
    await train(parseTrainConfig({ ...judged, output }), { onValidation: (row) => heard.push(row) });
    expect(readFileSync(join(output, 'model.onnx')).equals(readFileSync(join(plain, 'model.onnx')))).toBe(true);
    expect(validationIn(output)).toEqual(heard);
    expect(heard.map(({ epoch }) => epoch)).toEqual([1, 2]);
    const { contract: best } = await loadModel(join(output, 'best.onnx'), { kind: 'recogniser' });
    expect(best).toMatchObject({ embeddingLength: 8, input: officialInput });
    expect(readdirSync(output)).not.toContain('best.safetensors');
  });

  test('goes on after a kill with the same figures', async () => {
    const [unbroken, broken] = [temporaryFolder(), temporaryFolder()];
    await train(parseTrainConfig({ ...judged, output: unbroken }));
    const killed = (step: number): void => {
      if (step === 5) throw new Error('killed');
    };
    const config = parseTrainConfig({ ...judged, output: broken });
    await expect(train(config, { onStep: killed })).rejects.toThrow('killed');
    expect(validationIn(broken)).toHaveLength(1);
    await train(config, { resume: true });
    expect(validationIn(broken)).toEqual(validationIn(unbroken));
    for (const name of ['model.onnx', 'best.onnx'])
      expect(readFileSync(join(broken, name)).equals(readFileSync(join(unbroken, name))), name).toBe(true);
  });
});

describeTraining('threads that read the faces', () => {
  test.each([2, undefined])('make the same model: --train-last %s', async (trainLast) => {
    const models = [];
    for (const workers of [0, 2]) {
      const output = temporaryFolder();
      await train(parseTrainConfig({ ...settings, trainLast, epochs: 1, workers, output }));
      models.push(readFileSync(join(output, 'model.onnx')));
    }
    expect(models[1]!.equals(models[0]!)).toBe(true);
  });

  test.each([0, 2])('name a face that cannot be read, of %s threads', async (workers) => {
    const set = smallSet(2, 6);
    writeFileSync(join(set, 'person 1', '3.jpg'), 'no image');
    const config = parseTrainConfig({ ...settings, trainList: set, workers, output: temporaryFolder() });
    await expect(train(config)).rejects.toMatchObject({ code: 'too_many_unreadable' });
    await expect(train({ ...config, output: temporaryFolder() })).rejects.toThrow(/person 1.3\.jpg is not/);
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
