/** Devices: a plain error where one is absent, and none whose numbers are not the CPU's. */
import { Tensor } from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { type ComparedSession, expectAgreement } from '../../../src/infer/node/device.ts';
import { MagFace } from '../../../src/infer/node/magface.ts';
import { createSession } from '../../../src/infer/node/session.ts';
import { tinyOnnx, tinyRecord } from '../../support/tiny-onnx.ts';

/** One that no system of this kind has. */
const absent = process.platform === 'darwin' ? 'directml' : 'coreml';

test('an absent device is a plain error, never the CPU', async () => {
  const opened = createSession(tinyOnnx(112, tinyRecord()), { name: 'tiny', device: absent });
  await expect(opened).rejects.toMatchObject({
    code: 'wrong_configuration',
    key: 'device',
    expected: expect.stringContaining(`the device ${absent}, which needs `),
    problem: expect.stringContaining('ONNX Runtime cannot use it ('),
  });
  await expect(MagFace.load({ device: absent, workers: 4 })).rejects.toMatchObject({ key: 'device' });
  await expect(MagFace.load({ device: absent, engine: 'torch' })).rejects.toMatchObject({
    expected: 'the onnx engine with a device',
  });
});

/** @param outputs - of every run */
const session = (...outputs: readonly number[][]): ComparedSession => ({
  inputNames: ['input'],
  outputNames: outputs.map((_, at) => `output${at}`),
  inputMetadata: [{ isTensor: true, name: 'input', type: 'float32', shape: ['N', 3, 112, 'W'] }] as never,
  run: async ({ input }) => {
    expect(input!.dims).toEqual([1, 3, 112, 160]);
    return Object.fromEntries(outputs.map((values, at) => [`output${at}`, new Tensor('float32', values)]));
  },
});

test('outputs are compared one by one', async () => {
  const where = { name: 'net', device: 'webgpu' } as const;
  const cpu = session([1, 2, 3], [0, 0]);
  await expectAgreement(cpu, session([1, 2, 3.0001], [0, 0]), where);
  for (const outputs of [
    [
      [1, 2, 4],
      [0, 0],
    ],
    [
      [1, 2, 3],
      [0, 1],
    ],
    [
      [1, 2, Number.NaN],
      [0, 0],
    ],
    [
      [0, 0, 0],
      [0, 0],
    ],
  ])
    await expect(expectAgreement(cpu, session(...outputs), where), `${outputs}`).rejects.toMatchObject({
      code: 'engine_unfit',
      received: expect.stringContaining('a cosine of '),
    });
});
