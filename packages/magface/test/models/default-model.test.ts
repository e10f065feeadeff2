import { readFile } from 'node:fs/promises';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { summarizeOnnx, weightsDigest } from '../../src/graph/onnx/file.ts';
import { defaultModels } from '../../src/infer/node/magface.ts';
import { listModels } from '../../src/models/list-models.ts';
import { loadModel } from '../../src/models/load-model.ts';

const load = () => loadModel<'recogniser'>(defaultModels.recogniser, { kind: 'recogniser', offline: true });

test('the default recogniser is in the package: a few megabytes, without network or cache', async () => {
  const { bytes, id, assumed, path } = await load();
  expect(id).toBe('magface-small');
  expect(assumed).toEqual([]);
  expect(bytes.length).toBeLessThan(6e6);
  expect((await readFile(path)).equals(bytes)).toBe(true);
  const record = (await listModels()).find((model) => model.id === id);
  expect(record).toMatchObject({ cached: true, source: 'package:models/magface-small.onnx' });
});

test('it contains its scale, thresholds, licence, the notice about its data, and the origin of its weights', async () => {
  const { bytes, contract } = await load();
  expect(contract).toMatchObject({ kind: 'recogniser', embeddingLength: 512, template: 'arcface-112' });
  expect(contract.calibration?.width).toBeGreaterThan(0);
  expect(contract.thresholds?.map(({ fmr }) => fmr)).toEqual(expect.arrayContaining([1e-2, 1e-3, 1e-4]));
  expect(contract.licence?.notice).toMatch(/LFW and CelebA/);
  expect(contract.weightsDigest).toBe(weightsDigest(bytes, 'magface-small'));
});

test('ONNX Runtime computes embeddings of any number of faces, and their lengths', async () => {
  const { bytes } = await load();
  const { inputs, outputs } = summarizeOnnx(bytes, 'magface-small');
  expect(inputs[0]?.dims).toEqual(['N', 3, 112, 112]);
  expect(outputs.map(({ name, dims }) => [name, ...dims])).toEqual([
    ['embedding', 'N', 512],
    ['magnitude', 'N'],
  ]);
  const session = await InferenceSession.create(bytes, { logSeverityLevel: 3 });
  const faces = Float32Array.from({ length: 2 * 3 * 112 * 112 }, (_, i) => Math.sin(i * 0.37));
  const { embedding, magnitude } = await session.run({
    [session.inputNames[0]!]: new Tensor('float32', faces, [2, 3, 112, 112]),
  });
  const values = embedding!.data as Float32Array;
  for (const [face, length] of (magnitude!.data as Float32Array).entries()) {
    expect(Math.hypot(...values.subarray(512 * face, 512 * (face + 1))) / length).toBeCloseTo(1, 5);
  }
});
