import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { averageModels } from '../../src/convert/average-models.ts';
import { parseOnnx, writeOnnx } from '../../src/graph/onnx/file.ts';
import { floatsOf, floatTensor, tensorOf, tensorProto } from '../../src/graph/onnx/tensor.ts';
import { type LoadedModel, loadModel } from '../../src/models/load-model.ts';
import { runIn } from '../cli/evaluate/evaluate-run.ts';
import { smallModel } from '../train/finetune/small-model.ts';
import { temporaryFolder } from '../train/small-set.ts';

const start = smallModel();
const load = (file: string): Promise<LoadedModel<'recogniser'>> => loadModel(file, { kind: 'recogniser' });

/** The start with every float weight changed. */
function changed(name: string, change: (value: number) => number, dims?: number[]): string {
  const model = parseOnnx(writeOnnx(parseOnnx(loadedStart.bytes, start), start), start);
  model.graph!.initializer = model.graph!.initializer.map((proto) => {
    const weight = tensorOf(proto, start);
    const values = Float32Array.from(floatsOf(weight), change);
    return tensorProto(
      proto.name,
      floatTensor(proto.name === 'head.bias' ? (dims ?? weight.dims) : weight.dims, values),
    );
  });
  const file = join(temporaryFolder(), name);
  writeFileSync(file, writeOnnx(model, name));
  return file;
}

const loadedStart = await load(start);
const doubled = changed('doubled.onnx', (value) => 2 * value);

function weightOf(bytes: Uint8Array, name: string): Float32Array {
  const proto = parseOnnx(bytes, 'model').graph!.initializer.find((one) => one.name === name)!;
  return floatsOf(tensorOf(proto, 'model'));
}

test('the mean counts each model by its share', async () => {
  const bytes = averageModels([loadedStart, await load(doubled)], [3, 1]);
  const [own, mean] = [weightOf(loadedStart.bytes, 'head.weight'), weightOf(bytes, 'head.weight')];
  for (const [i, value] of mean.entries()) expect(value).toBeCloseTo(1.25 * own[i]!, 6);
});

test('the record keeps the input, and loses what depends on the weights', async () => {
  const file = join(temporaryFolder(), 'mean.onnx');
  writeFileSync(file, averageModels([loadedStart, await load(doubled)]));
  expect(loadedStart.contract.calibration).toBeDefined();
  const { contract } = await load(file);
  expect(contract).toMatchObject({ input: loadedStart.contract.input, embeddingLength: 8 });
  expect(contract).not.toHaveProperty('calibration');
});

test('refuses one model, wrong shares and another graph', async () => {
  const other = await load(changed('other.onnx', (value) => value, [8, 1]));
  const both = [loadedStart, await load(doubled)];
  expect(() => averageModels([loadedStart])).toThrow(expect.objectContaining({ key: 'models', received: '1' }));
  expect(() => averageModels(both, [1])).toThrow(expect.objectContaining({ key: 'shares' }));
  expect(() => averageModels(both, [1, 0])).toThrow(expect.objectContaining({ key: 'shares' }));
  expect(() => averageModels([loadedStart, other])).toThrow(
    expect.objectContaining({ code: 'wrong_format', part: 'head.bias', received: 'shape (8, 1)' }),
  );
});

test('`magface average` writes the mean and says what to do next', async () => {
  const folder = temporaryFolder();
  const words = [start, doubled, '--shares', '3', '1', '--output', join(folder, 'mean.onnx')];
  const { exitCode, notes } = await runIn(folder, 'average', ...words);
  expect(exitCode, notes).toBe(0);
  expect(notes).toContain('Its scale is gone: run `magface calibrate`.');
  const { bytes } = await load(join(folder, 'mean.onnx'));
  const [own, mean] = [weightOf(loadedStart.bytes, 'head.bias'), weightOf(bytes, 'head.bias')];
  expect(mean[0]!).toBeCloseTo(1.25 * own[0]!, 6);
});
