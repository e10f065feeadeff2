import { readFileSync } from 'node:fs';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { expect, test } from 'vitest';
import {
  parseOnnx,
  readyToRun,
  summarizeOnnx,
  weightsDigest,
  withMetadata,
  writeOnnx,
} from '../../../src/graph/onnx/file.ts';
import { tinyOnnx } from '../../support/tiny-onnx.ts';

test('metadata are set and replaced, and the weights keep their digest', () => {
  const once = withMetadata(tinyOnnx(), new Map([['magface.arch', '"a"']]), 'tiny');
  const twice = withMetadata(once, new Map([['magface.arch', '"b"']]), 'tiny');
  const summary = summarizeOnnx(twice, 'tiny');
  expect([...summary.metadata]).toEqual([['magface.arch', '"b"']]);
  expect(summary.inputs).toEqual([{ name: 'input', dims: [1, 3, 112, 112] }]);
  expect(weightsDigest(twice, 'tiny')).toBe(weightsDigest(tinyOnnx(), 'tiny'));
});

test('every cut of a file ends in a model or a ModelError', () => {
  const bytes = tinyOnnx();
  for (let length = 0; length < bytes.length; length++) {
    try {
      summarizeOnnx(bytes.subarray(0, length), 'cut');
    } catch (error) {
      expect(error).toMatchObject({ code: 'model_not_onnx' });
    }
  }
});

async function expectBatchFree(bytes: Uint8Array, batch: number): Promise<void> {
  const [one, many] = [
    await InferenceSession.create(bytes),
    await InferenceSession.create(readyToRun(bytes, 'model').bytes),
  ];
  const size = 3 * 112 * 112;
  const input = Float32Array.from({ length: batch * size }, (_, i) => Math.sin(i * 12.9898) % 1);
  const name = one.inputNames[0]!;
  const all = Object.values(await many.run({ [name]: new Tensor('float32', input, [batch, 3, 112, 112]) }))[0]!;
  const length = all.dims[1]!;
  for (let i = 0; i < batch; i++) {
    const face = new Tensor('float32', input.slice(i * size, (i + 1) * size), [1, 3, 112, 112]);
    const own = Object.values(await one.run({ [name]: face }))[0]!.data as Float32Array;
    const worst = own.reduce(
      (most, v, d) => Math.max(most, Math.abs(v - (all.data as Float32Array)[i * length + d]!)),
      0,
    );
    expect(worst).toBeLessThan(1e-5);
  }
}

test('a model fixed at a batch of one gives the same embeddings in a batch of four', async () => {
  await expectBatchFree(tinyOnnx(), 4);
});

test('so does a real recogniser, fixed at a batch of one', async () => {
  const model = parseOnnx(readFileSync(new URL('../../../models/magface-small.onnx', import.meta.url)), 'model');
  for (const value of [...model.graph!.input, ...model.graph!.output]) {
    const [first] = value.type!.tensorType!.shape!.dim;
    first!.value = { case: 'dimValue', value: 1n };
  }
  await expectBatchFree(writeOnnx(model, 'model'), 4);
});
