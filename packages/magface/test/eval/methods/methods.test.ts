/** Quality methods on a small recogniser, and on pictures whose answer is known. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { methodNames } from '../../../src/eval/methods/method-names.ts';
import { openMethod } from '../../../src/eval/methods/open-methods.ts';
import type { AnalyzedFace } from '../../../src/face.ts';
import { withMetadata } from '../../../src/graph/onnx/file.ts';
import { MagFace } from '../../../src/infer/node/magface.ts';
import { contractMetadata } from '../../../src/models/contract.ts';
import { randomStream } from '../../../src/random.ts';
import { node, onnxGraph, wave } from '../../support/onnx-graphs.ts';
import { tinyOnnx, tinyRecord } from '../../support/tiny-onnx.ts';

const folder = mkdtempSync(join(tmpdir(), 'magface methods '));
const side = 112;

/** Sees the left half of a picture apart from the right. */
const network = onnxGraph({
  nodes: [
    node('Conv input stem -> a', { kernel_shape: [8, 8], strides: [8, 8] }),
    node('Flatten a -> f'),
    node('Gemm f head -> output', { transB: 1 }),
  ],
  weights: { stem: wave([3, 3, 8, 8], 0.1), head: wave([6, 3 * 14 * 14], 0.1) },
  input: [1, 3, side, side],
  output: [1, 6],
});
const contract = { ...tinyRecord(), embeddingLength: 6 };

let magface: MagFace;
let plain: MagFace;
beforeAll(async () => {
  const files = {
    'small.onnx': withMetadata(network, contractMetadata(contract), 'small'),
    'tiny.onnx': tinyOnnx(side, tinyRecord()),
  };
  const open = (name: keyof typeof files): Promise<MagFace> => {
    writeFileSync(join(folder, name), files[name]);
    return MagFace.load({ model: join(folder, name), detector: false, workers: 1, threads: 1 });
  };
  [magface, plain] = [await open('small.onnx'), await open('tiny.onnx')];
});
afterAll(async () => {
  for (const one of [magface, plain]) await one[Symbol.asyncDispose]();
});

/** @param value - of a pixel */
async function face(value: (x: number, y: number) => number): Promise<AnalyzedFace> {
  const data = new Uint8Array(3 * side * side);
  for (let i = 0; i < data.length; i++) {
    const pixel = Math.floor(i / 3);
    data[i] = value(pixel % side, Math.floor(pixel / side));
  }
  return (await magface.analyze({ data, width: side, height: side }, { aligned: true }))[0]!;
}

const noise = randomStream(3);
const pictures = {
  symmetric: (x: number, y: number) => 20 + ((Math.abs(x - 55.5) * 3 + y) % 200),
  flat: () => 90,
  slope: (x: number) => 2 * x,
  noisy: () => 255 * noise(),
};

async function measured(method: string, ...names: (keyof typeof pictures)[]): Promise<readonly number[]> {
  await using opened = await openMethod(method, magface);
  expect(opened.name).toBe(method);
  const faces: AnalyzedFace[] = [];
  for (const name of names) faces.push(await face(pictures[name]));
  return await opened.measure(faces);
}

test('every named method gives one finite number for each face, the same each time', async () => {
  for (const name of methodNames) {
    await using method = await openMethod(name, magface);
    const faces = [await face(pictures.slope), await face(pictures.symmetric), await face(pictures.flat)];
    const values = await method.measure(faces);
    expect(values).toHaveLength(3);
    expect(values.every(Number.isFinite), name).toBe(true);
    expect(await method.measure(faces)).toEqual(values);
  }
});

test('every named method measures faces of the included model', async () => {
  await using included = await MagFace.load({ detector: false, workers: 1, threads: 1 });
  const faces = await included.analyze((await face(pictures.slope)).crop, { aligned: true });
  for (const name of methodNames) {
    await using method = await openMethod(name, included);
    expect((await method.measure(faces)).every(Number.isFinite), name).toBe(true);
  }
});

test('flip consistency is 1 for a symmetric picture and less for another', async () => {
  const [symmetric, slope] = await measured('flip', 'symmetric', 'slope');
  expect(symmetric).toBeCloseTo(1, 6);
  expect(slope).toBeLessThan(0.999);
});

test('shift consistency is 1 for a flat picture and least for noise', async () => {
  const [flat, slope, noisy] = await measured('shift', 'flat', 'slope', 'noisy');
  expect(flat).toBeCloseTo(1, 6);
  expect(slope).toBeLessThan(1);
  expect(noisy).toBeLessThan(slope!);
});

test('drift is below 1, and 8 bits damage less than pruning', async () => {
  const [pruned] = await measured('pruning', 'slope');
  const [rounded] = await measured('int8', 'slope');
  expect(pruned).toBeLessThan(0.9999);
  expect(rounded).toBeGreaterThan(pruned!);
  expect(rounded).toBeLessThanOrEqual(1);
});

test('dropout gives SER-FIQ’s measure, between 0 and 1', async () => {
  const [value] = await measured('dropout', 'slope');
  expect(value).toBeGreaterThan(0);
  expect(value).toBeLessThan(1);
  await expect(openMethod('dropout', plain)).rejects.toMatchObject({ name: 'ModelError', code: 'method_unfit' });
});

test('the magnitude of another recogniser is that recogniser’s', async () => {
  const picture = await face(pictures.slope);
  await using method = await openMethod(`magnitude:${join(folder, 'tiny.onnx')}`, magface);
  const [own] = await plain.analyze(picture.crop, { aligned: true });
  expect((await method.measure([picture]))[0]).toBeCloseTo(own!.magnitude, 4);
});

test('an unknown method is refused with the names there are', async () => {
  await expect(openMethod('prunning', magface)).rejects.toMatchObject({
    code: 'wrong_configuration',
    key: 'method',
    message: expect.stringContaining('pruning, int8, flip'),
  });
});
