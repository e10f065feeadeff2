/** The cache of method values, over a recogniser that counts the pictures it sees. */
import { mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { FaceSet } from '../../../src/eval/face-set.ts';
import { type FaceSource, measureSet } from '../../../src/eval/methods/measure-set.ts';
import { MagFace } from '../../../src/infer/node/magface.ts';
import { pngFile } from '../../support/png.ts';
import { tinyOnnx, tinyRecord } from '../../support/tiny-onnx.ts';

const folder = mkdtempSync(join(tmpdir(), 'magface measure '));
const side = 112;
const names = ['luminance-mean', 'dynamic-range'];

/** A grey picture. */
const grey = (value: number): Buffer => {
  const rows = Buffer.alloc(side * (side + 1), value);
  for (let row = 0; row < side; row++) rows[row * (side + 1)] = 0;
  return pngFile({ width: side, height: side, kind: [8, 0], rows });
};
const set: FaceSet = {
  name: 'greys',
  images: [40, 120, 200].map((value) => ({ name: `${value}`, digest: `${value}`, read: async () => grey(value) })),
  pairs: { left: new Uint32Array(), right: new Uint32Array(), same: new Uint8Array() },
  columns: {},
  notes: [],
  close: async () => {},
};

let magface: MagFace;
let passes = 0;
let source: FaceSource;
beforeAll(async () => {
  writeFileSync(join(folder, 'tiny.onnx'), tinyOnnx(side, tinyRecord()));
  magface = await MagFace.load({ model: join(folder, 'tiny.onnx'), detector: false, workers: 1, threads: 1 });
  const { model, detector, aligner, engine } = magface;
  source = {
    model,
    detector,
    aligner,
    engine,
    stream: (...given) => {
      passes++;
      return magface.stream(...given);
    },
  };
});
afterAll(() => magface[Symbol.asyncDispose]());

const cacheDir = join(folder, 'cache');
const kept = (): string[] => readdirSync(join(cacheDir, 'features')).map((name) => join(cacheDir, 'features', name));
const measure = (wanted: readonly string[]): Promise<Map<string, Float32Array>> =>
  measureSet(set, source, wanted, { aligned: true, cacheDir });
beforeEach(() => {
  rmSync(cacheDir, { recursive: true, force: true });
  passes = 0;
});

test('reads the images once for all methods, and not again while their values are kept', async () => {
  const first = await measure(names);
  expect([...first.keys()]).toEqual(names);
  expect(new Set(first.get('luminance-mean')).size).toBe(3);
  expect(passes).toBe(1);
  expect(await measure(names)).toEqual(first);
  expect(passes).toBe(1);
  expect(await measureSet(set, source, names, { aligned: true, cacheDir: false })).toEqual(first);
  expect(passes).toBe(2);
});

test('measures what is missing and what is damaged, in one pass', async () => {
  await measure([names[1]!]);
  const [damaged] = kept();
  const whole = await measure(names);
  expect(passes).toBe(2);
  truncateSync(damaged!, 20);
  for (const path of kept()) if (path !== damaged) rmSync(path);
  expect(await measure(names)).toEqual(whole);
  expect(passes).toBe(3);
  expect(await measure(names)).toEqual(whole);
  expect(passes).toBe(3);
});
