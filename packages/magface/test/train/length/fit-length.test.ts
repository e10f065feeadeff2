import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Tensor } from 'onnxruntime-common';
import { expect, test } from 'vitest';
import { summarizeOnnx } from '../../../src/graph/onnx/file.ts';
import { openGraph } from '../../../src/graph/torch/open-graph.ts';
import { createSession } from '../../../src/infer/node/session.ts';
import { createTorchSession } from '../../../src/infer/torch/torch-session.ts';
import { type LoadedModel, loadModel } from '../../../src/models/load-model.ts';
import { magnitudeOf } from '../../../src/quality.ts';
import { compare } from '../../../src/similarity.ts';
import { readDatasets } from '../../../src/train/data/dataset.ts';
import { fitLength } from '../../../src/train/length/fit-length.ts';
import { runIn } from '../../cli/evaluate/evaluate-run.ts';
import { smallModel } from '../finetune/small-model.ts';
import { describeTraining } from '../golden.ts';
import { smallSet, temporaryFolder } from '../small-set.ts';

const faces = smallSet(4, 6);
const init = smallModel();
const load = (file: string): Promise<LoadedModel<'recogniser'>> => loadModel(file, { kind: 'recogniser' });
const pixels = Float32Array.from({ length: 5 * 3 * 112 * 112 }, (_, i) => ((i * 7919) % 255) / 255 - (i % 5) / 10);

async function embeddingsOf(bytes: Uint8Array): Promise<Float32Array[]> {
  const session = await createSession(bytes, { name: 'model', threads: 1 });
  const input = new Tensor('float32', pixels, [5, 3, 112, 112]);
  const values = (await session.run({ [session.inputNames[0]!]: input }, ['embedding']))['embedding']!
    .data as Float32Array;
  await session.release();
  return Array.from({ length: 5 }, (_, i) => values.slice((i * values.length) / 5, ((i + 1) * values.length) / 5));
}

describeTraining('a length branch', () => {
  test('changes lengths within their limits, and no direction', async () => {
    const model = await load(init);
    const fitted = await fitLength(model, { dataset: readDatasets([faces]) });
    expect(fitted).toMatchObject({ faces: 24, people: 4, taps: ['body'] });
    expect(fitted.order.after).toBeGreaterThan(fitted.order.before);
    const [before, after] = [await embeddingsOf(model.bytes), await embeddingsOf(fitted.bytes)];
    const [low, high] = fitted.limits;
    for (const [i, embedding] of after.entries()) {
      expect(compare(embedding, before[i]!)).toBeCloseTo(1, 6);
      expect(magnitudeOf(embedding)).toBeGreaterThan(low - 1e-5);
      expect(magnitudeOf(embedding)).toBeLessThan(high + 1e-5);
      expect(Math.abs(magnitudeOf(embedding) - magnitudeOf(before[i]!))).toBeGreaterThan(1e-4);
    }
    expect(summarizeOnnx(fitted.bytes, 'fitted').outputs.map(({ name }) => name)).toEqual(['embedding', 'magnitude']);
  });

  test('orders faces as their lengths did if no map may count', async () => {
    const { order } = await fitLength(await load(init), { dataset: readDatasets([faces]), ridge: 1e9 });
    expect(Math.abs(order.after)).toBeCloseTo(Math.abs(order.before), 6);
  });

  test('reads the maps that are named', async () => {
    const model = await load(init);
    const dataset = readDatasets([faces]);
    expect(await fitLength(model, { dataset, taps: ['active'] })).toMatchObject({ taps: ['active'] });
    const wrong = fitLength(model, { dataset, taps: ['active', 'flat'] });
    await expect(wrong).rejects.toMatchObject({ code: 'wrong_configuration', key: 'taps', received: '"flat"' });
  });

  test('is the same for the same faces, bit for bit', async () => {
    const model = await load(init);
    const fits = [];
    for (let i = 0; i < 2; i++) fits.push(await fitLength(model, { dataset: readDatasets([faces]) }));
    expect(Buffer.from(fits[1]!.bytes).equals(fits[0]!.bytes)).toBe(true);
  });

  test('runs with gradients and on the torch engine as on ONNX Runtime', async () => {
    const { bytes } = await fitLength(await load(init), { dataset: readDatasets([faces]) });
    const wanted = await embeddingsOf(bytes);
    const file = join(temporaryFolder(), 'fitted.onnx');
    writeFileSync(file, bytes);
    expect(openGraph(readFileSync(file), file).weights.has('length.bias')).toBe(true);
    const session = createTorchSession(bytes, { name: file, threads: 1 });
    const input = new Tensor('float32', pixels, [5, 3, 112, 112]);
    const found = await session.run({ [session.inputNames[0]!]: input }, ['embedding']);
    const values = found['embedding']!.data as Float32Array;
    for (const [i, embedding] of wanted.entries()) {
      const own = values.slice(i * embedding.length, (i + 1) * embedding.length);
      expect(compare(own, embedding)).toBeGreaterThan(0.999);
      expect(magnitudeOf(own) / magnitudeOf(embedding)).toBeCloseTo(1, 2);
    }
    await session.release();
  });

  test('one face a person is not enough', async () => {
    const lonely = fitLength(await load(init), { dataset: readDatasets([smallSet(3, 1)]) });
    await expect(lonely).rejects.toMatchObject({ code: 'wrong_configuration', key: 'train-list' });
  });

  test('`magface fit-quality` writes the model without a scale, and says what the branch reads', async () => {
    const output = join(temporaryFolder(), 'q.onnx');
    const words = ['--model', init, '--train-list', faces, '--output', output];
    const { exitCode, out, notes } = await runIn(temporaryFolder(), 'fit-quality', ...words);
    expect(exitCode, notes).toBe(0);
    expect(out).toContain('24 faces of 4 people; the branch reads 1 map (body); lengths from ');
    expect(notes).toContain('Its scale is gone: run `magface calibrate`.');
    expect((await load(output)).contract.calibration).toBeUndefined();
    const wrong = await runIn(temporaryFolder(), 'fit-quality', ...words.with(-1, 'q.pth'));
    expect([wrong.exitCode, wrong.notes]).toEqual([
      2,
      expect.stringContaining('Expected an output that ends in .onnx'),
    ]);
  });
});
