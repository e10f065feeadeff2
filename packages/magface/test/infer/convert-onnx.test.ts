/** Rewriting models, proven by running what was written. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import sharp from 'sharp';
import { beforeAll, expect, test } from 'vitest';
import { convertOnnx } from '../../src/convert/convert-onnx.ts';
import { parseOnnx, writeOnnx } from '../../src/graph/onnx/file.ts';
import { floatsOf, type OnnxTensor, tensorOf } from '../../src/graph/onnx/tensor.ts';
import { simplify } from '../../src/graph/passes/simplify.ts';
import { inputFiller } from '../../src/infer/session.ts';
import { node, onnxGraph, wave } from '../support/onnx-graphs.ts';

const folder = mkdtempSync(join(tmpdir(), 'magface convert '));
const describe = {
  input: { width: 112, height: 112, channelOrder: 'RGB', mean: [127.5, 127.5, 127.5], scale: [0.008, 0.008, 0.008] },
} as const;
const same = { kernel_shape: [3, 3], pads: [1, 1, 1, 1] };

/** All that recognisers are made of; channel 3 is a thousand times its neighbours, which only equalizing can mend. */
function network(weights: Readonly<Record<string, OnnxTensor>> = {}): Uint8Array {
  const uneven = wave([8, 3, 3, 3], 0.2);
  (uneven.data as Float32Array).subarray(3 * 27, 4 * 27).forEach((value, i, row) => {
    row[i] = value * 1000;
  });
  const fitting = wave([8, 1, 3, 3], 0.3);
  (fitting.data as Float32Array).subarray(3 * 9, 4 * 9).forEach((value, i, row) => {
    row[i] = value / 1000;
  });
  const ones = (...dims: number[]): OnnxTensor => {
    const { data } = wave(dims);
    return { ...wave(dims), data: Float32Array.from(data as Float32Array, (value) => 1 + value ** 2) };
  };
  return onnxGraph({
    nodes: [
      node('Conv input w1 b1 -> a', { ...same, strides: [4, 4] }),
      node('PRelu a s1 -> b'),
      node('Conv b w2 -> c0', { ...same, group: 8 }),
      node('BatchNormalization c0 g be m v -> c'),
      node('Clip c zero six -> d'),
      node('Conv d w3 b3 -> e', { kernel_shape: [1, 1] }),
      node('Conv d w4 b3 -> f', { kernel_shape: [1, 1] }),
      node('Add e f -> h0'),
      node('BatchNormalization h0 g be m v -> h'),
      node('AveragePool h -> i', { kernel_shape: [14, 14], strides: [14, 14] }),
      node('Flatten i -> j'),
      node('Gemm j w5 b5 -> output', { transB: 1 }),
    ],
    weights: {
      w1: uneven,
      b1: wave([8], 0.1),
      s1: ones(8, 1, 1),
      w2: fitting,
      w3: wave([8, 8, 1, 1], 0.4),
      b3: wave([8], 0.1),
      w4: wave([8, 8, 1, 1], 0.3),
      w5: wave([16, 32], 0.3),
      b5: wave([16], 0.1),
      g: ones(8),
      be: wave([8]),
      m: wave([8], 0.5),
      v: ones(8),
      zero: { dims: [], dtype: 'float32', data: Float32Array.of(0) },
      six: { dims: [], dtype: 'float32', data: Float32Array.of(6) },
      ...weights,
    },
    input: [1, 3, 112, 112],
    output: [1, 16],
    opset: 17,
  });
}

const faces: string[] = [];
let face: Float32Array;

beforeAll(async () => {
  face = new Float32Array(2 * 3 * 112 * 112);
  for (let i = 0; i < 8; i++) {
    const data = Uint8Array.from({ length: 112 * 112 * 3 }, (_, at) => 128 + 90 * Math.sin(at / (90 + 9 * i) + i));
    faces.push(join(folder, `${i}.png`));
    await sharp(data, { raw: { width: 112, height: 112, channels: 3 } })
      .png()
      .toFile(faces[i]!);
    const fill = inputFiller({ ...describe.input, layout: 'NCHW', channelOrder: 'RGB' });
    if (i < 2) fill({ data, width: 112, height: 112 }, face, i * 3 * 112 * 112);
  }
});

async function run(bytes: Uint8Array, batch = 2): Promise<Float32Array> {
  const session = await InferenceSession.create(bytes, { logSeverityLevel: 3 });
  const input = new Tensor('float32', face.slice(0, batch * 3 * 112 * 112), [batch, 3, 112, 112]);
  const result = (await session.run({ input }))['output']!;
  expect([result.type, result.dims]).toEqual(['float32', [batch, 16]]);
  return result.data as Float32Array;
}

function cosine(a: Float32Array, b: Float32Array): number {
  const dot = (x: Float32Array, y: Float32Array): number => x.reduce((sum, value, i) => sum + value * y[i]!, 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

const saved = (bytes: Uint8Array, name: string): string => {
  writeFileSync(join(folder, name), bytes);
  return join(folder, name);
};

test('simplifying changes nothing but the form', async () => {
  const model = parseOnnx(network(), 'm');
  simplify(model, 'm');
  const types = model.graph!.node.map(({ opType }) => opType);
  expect(types.filter((type) => type === 'BatchNormalization')).toHaveLength(1); // the one behind Add
  const [before, after] = [await run(network(), 1), await run(writeOnnx(model, 'm'), 1)];
  expect(Math.max(...after.map((value, i) => Math.abs(value - before[i]!)))).toBeLessThan(1e-4);
});

test.each([
  ['fp32', 0.999999, 1.1],
  ['fp16', 0.9999, 0.75],
  ['int8', 0.995, 0.75],
] as const)('%s: any batch, a record, and embeddings at cosine %f', async (dtype, least, size) => {
  const [bytes, file] = [network(), saved(network(), 'm.onnx')];
  const converted = await convertOnnx(file, { dtype, faces, describe });
  expect(converted).toMatchObject({ batch: 'freed', contract: { ...describe, embeddingLength: 16 } });
  const weights = (one: Uint8Array): number =>
    parseOnnx(one, 'm').graph!.initializer.reduce((sum, { rawData }) => sum + rawData.length, 0);
  expect(weights(converted.bytes) / weights(bytes)).toBeLessThan(size);
  const [one, two] = [await run(bytes, 1), await run(converted.bytes)];
  expect(cosine(two.subarray(0, 16), one)).toBeGreaterThan(least);
});

test('int8 weights are whole numbers a channel, and only what does the work is integer', async () => {
  const { bytes, notes } = await convertOnnx(saved(network(), 'm.onnx'), { dtype: 'int8', faces, describe });
  expect(notes.join()).toContain('int8 may be slower than fp32 here, though smaller: 1 PRelu between integer layers');
  const { graph } = parseOnnx(bytes, 'm');
  const integers = graph!.initializer.filter(({ dataType, dims }) => dataType === 3 && dims.length > 1);
  expect(integers.map(({ dims }) => dims.join('x'))).toEqual(
    expect.arrayContaining(['8x3x3x3', '8x1x3x3', '8x8x1x1', '16x32']),
  );
  const floats = graph!.node.map(({ opType }) => opType).filter((type) => !/Linear|Conv|Gemm|Add/.test(type));
  expect(new Set(floats)).toEqual(new Set(['PRelu', 'Clip', 'BatchNormalization', 'AveragePool', 'Flatten']));
});

test('int8 gives a dead channel no scale below 2^-126, which would cost a hundredfold', async () => {
  const [w1, b1] = [wave([8, 3, 3, 3], 0.2), wave([8], 0.1)];
  (w1.data as Float32Array).fill(1e-39, 5 * 27, 6 * 27);
  (b1.data as Float32Array)[5] = 1e-38;
  const file = saved(network({ w1, b1 }), 'dead.onnx');
  const { bytes } = await convertOnnx(file, { dtype: 'int8', faces, describe });
  const scales = parseOnnx(bytes, 'm').graph!.initializer.filter(({ name }) => name.endsWith('.scale'));
  const values = scales.flatMap((proto) => [...floatsOf(tensorOf(proto, 'm'))]);
  expect(values.length).toBeGreaterThan(40);
  expect(Math.min(...values)).toBeGreaterThan(1e-10);
});

test('int8 without faces, and half precision of what half cannot hold, are refused by name', async () => {
  const file = saved(network(), 'm.onnx');
  await expect(convertOnnx(file, { dtype: 'int8', describe })).rejects.toMatchObject({ key: 'faces' });
  const some = { dtype: 'fp16', describe } as const;
  const big = saved(network({ b5: wave([16], 1e5) }), 'big.onnx');
  await expect(convertOnnx(big, some)).rejects.toThrow(/value.*"output" reaches|"b5" has/);
  const wide = saved(network({ w3: wave([8, 8, 1, 1], 6e4) }), 'wide.onnx');
  await expect(convertOnnx(wide, some)).rejects.toThrow(/but "e" reaches -?[\d.]+: keep fp32/);
});

test('a record that does not fit is told field by field', async () => {
  const file = saved(network(), 'm.onnx');
  const wrong = { input: { width: 112, height: 112, channelOrder: 'GBR', mean: [1, 2] }, colour: 1 };
  await expect(convertOnnx(file, { describe: wrong })).rejects.toThrow(
    /input\.channelOrder must be "RGB" or "BGR", not "GBR"; input\.mean must be three numbers, not \[1,2\]; input\.scale is missing: three numbers; the record has an unknown field: colour/,
  );
});
