import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cutFace } from '../../../src/infer/node/cut-out.ts';
import { MagFace } from '../../../src/infer/node/magface.ts';
import { magnitudeOf } from '../../../src/quality.ts';
import { samplePhoto } from '../../support/sample-photos.ts';
import { tinyOnnx, tinyRecord } from '../../support/tiny-onnx.ts';

let folder: string;
let model: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'magface '));
  model = join(folder, 'tiny.onnx');
  const calibration = { centre: 100, width: 10, source: 'a test' };
  await writeFile(model, tinyOnnx(112, { ...tinyRecord(), calibration }));
});
afterAll(() => rm(folder, { recursive: true }));

/** An aligned "face" of one colour: the tiny model's embedding is that colour. */
const plain = (r: number, g: number, b: number) =>
  sharp({ create: { width: 112, height: 112, channels: 3, background: { r, g, b } } })
    .png()
    .toBuffer();

describe('two faces', () => {
  const thresholds = [
    { fmr: 0.01, threshold: 0.5, set: 'a test' },
    { fmr: 0.0001, threshold: 0.9, set: 'a test' },
  ];
  const face = (...values: number[]) => ({ embedding: Float32Array.from(values) });

  test('are compared at the threshold of the rate, or of the reported next stricter one', async () => {
    const measured = join(folder, 'measured.onnx');
    await writeFile(measured, tinyOnnx(112, { ...tinyRecord(), thresholds }));
    await using magface = await MagFace.load({ model: measured, detector: false });
    expect(magface.threshold(0.01)).toEqual(thresholds[0]);
    expect(magface.threshold()).toEqual(thresholds[1]);
    expect(() => magface.threshold(1e-5)).toThrow('but received 0.00001: use 0.0001');
    const [a, b] = [face(2, 0, 0), face(3, 4, 0)]; // cosine 0.6
    const similarity = expect.closeTo(0.6, 6);
    expect(magface.samePerson(a, b, { fmr: 0.01 })).toEqual({
      similarity,
      same: true,
      threshold: 0.5,
      fmr: 0.01,
      likelihood: null,
    });
    expect(magface.samePerson(a, b)).toEqual({
      similarity,
      same: false,
      threshold: 0.9,
      fmr: 0.0001,
      likelihood: null,
    });
    expect(() => magface.samePerson(a, face(1, 0))).toThrow('Expected two embeddings of the same length');
  });

  test('get only a similarity if the model has no thresholds', async () => {
    await using magface = await MagFace.load({ model, detector: false });
    expect(magface.threshold()).toBeUndefined();
    const undecided = { similarity: 1, same: null, threshold: null, fmr: null, likelihood: null };
    expect(magface.samePerson(face(1, 0, 0), face(2, 0, 0))).toEqual(undecided);
  });
});

test('a larger cut has the same alignment and the detail of the photo', async () => {
  await using magface = await MagFace.load({ model });
  const photo = samplePhoto(1);
  const [found] = await magface.analyze(photo);
  expect(await cutFace(photo, found!)).toEqual(found!.crop);
  const large = await cutFace(photo, found!, { size: 224 });
  expect(large).toMatchObject({ width: 224, height: 224 });
  const raw = { raw: { width: 224, height: 224, channels: 3 as const } };
  const small = await sharp(large.data, raw).resize(112, 112).removeAlpha().raw().toBuffer();
  const apart = small.reduce((sum, value, i) => sum + Math.abs(value - found!.crop.data[i]!), 0) / small.length;
  expect(apart).toBeLessThan(4); // levels of 255: it is 2.2; four pixels aside it is 15, of another face 31
  await expect(cutFace(photo, found!, { size: 0 })).rejects.toThrow('Expected a whole number from 1 to 4096 as size');
});

describe('aligned faces', () => {
  test('embedding, magnitude and quality come from the model and its calibration', async () => {
    await using magface = await MagFace.load({ model, detector: false });
    const [face] = await magface.analyze(await plain(60, 0, 80), { aligned: true });
    expect([...face!.embedding]).toEqual([60, 0, 80].map((v) => expect.closeTo(v, 3)));
    expect(face).toMatchObject({ magnitude: expect.closeTo(100, 3), quality: 50 });
  });

  test('flip adds the mirrored embedding and keeps the magnitude', async () => {
    await using magface = await MagFace.load({ model, detector: false });
    const [face] = await magface.analyze(await plain(60, 0, 80), { aligned: true, flip: true });
    expect(magnitudeOf(face!.embedding)).toBeCloseTo(200, 2);
    expect(face!.magnitude).toBeCloseTo(100, 2);
  });

  test('a stream keeps the order across batches, and gives a result for a broken image', async () => {
    await using magface = await MagFace.load({ model, detector: false, batchSize: 4 });
    const inputs: Buffer[] = await Promise.all(Array.from({ length: 23 }, (_, i) => plain(i * 10, 0, 0)));
    inputs[7] = Buffer.from('no image');
    const seen: (number | string)[] = [];
    for await (const { index, faces, error } of magface.stream(inputs, { aligned: true })) {
      expect(index).toBe(seen.length);
      seen.push(error?.code ?? Math.round(faces![0]!.embedding[0]!));
    }
    expect(seen).toEqual(inputs.map((_, i) => (i === 7 ? 'image_unreadable' : i * 10)));
  });

  test('a stream from a camera does not wait for a full batch', async () => {
    await using magface = await MagFace.load({ model, detector: false });
    const face = await plain(60, 0, 80);
    let next = (): void => {};
    const camera = async function* (): AsyncGenerator<Buffer> {
      for (let i = 0; i < 3; i++) {
        yield face;
        await new Promise<void>((resolve) => {
          next = resolve;
        });
      }
    };
    let count = 0;
    for await (const { faces } of magface.stream(camera(), { aligned: true })) {
      expect(faces).toHaveLength(1);
      count++;
      next(); // the next picture is taken when this one's face has been seen
    }
    expect(count).toBe(3);
  });

  test('invalid options and inputs are rejected by name', async () => {
    for (const [key, value] of Object.entries({ engine: 'x', device: 'gpu', threads: -2, batchSize: 1.5 })) {
      await expect(MagFace.load({ [key]: value }), key).rejects.toMatchObject({ code: 'wrong_configuration', key });
    }
    await expect(MagFace.load({ model, signal: AbortSignal.abort() })).rejects.toThrow('aborted');
    await using magface = await MagFace.load({ model, detector: false });
    expect(() => magface.stream('photo.jpg')).toThrow('Expected a list of images but received a single one');
    const aligned = { aligned: true };
    expect(() => magface.stream([], { ...aligned, maxFaces: 0 })).toThrow('a whole number above 0 as maxFaces');
    for (const input of [undefined, null, 42, {}, new ArrayBuffer(3)]) {
      const analyzed = magface.analyze(input as unknown as string, aligned);
      await expect(analyzed, `${input}`).rejects.toMatchObject({ code: 'image_unreadable' });
    }
  });

  test('disposing twice releases once, and later calls are rejected', async () => {
    const magface = await MagFace.load({ model, detector: false });
    await magface[Symbol.asyncDispose]();
    await magface[Symbol.asyncDispose]();
    const late = magface.analyze(await plain(1, 2, 3), { aligned: true });
    await expect(late).rejects.toMatchObject({ code: 'disposed' });
  });

  test('an abort ends a stream', async () => {
    await using magface = await MagFace.load({ model, detector: false });
    const abort = new AbortController();
    const inputs = Array.from({ length: 50 }, () => plain(1, 2, 3));
    const run = async (): Promise<void> => {
      for await (const _ of magface.stream(await Promise.all(inputs), { aligned: true, signal: abort.signal }))
        abort.abort();
    };
    await expect(run()).rejects.toMatchObject({ name: 'AbortError' });
  });

  test('a whole photo without a detector is rejected at once', async () => {
    await using magface = await MagFace.load({ model, detector: false });
    expect(() => magface.stream([samplePhoto(1)])).toThrow(/pass `aligned: true`, or load a detector/);
  });
});

describe('photos with the default models from the npm registry', () => {
  test('analyze aligns and embeds three faces in one photo and gives their magnitudes', async () => {
    await using magface = await MagFace.load();
    const bytes = await readFile(samplePhoto(1));
    const faces = await magface.analyze(bytes);
    expect(faces).toHaveLength(3);
    for (const face of faces) {
      expect(face.crop).toMatchObject({ width: 112, height: 112 });
      expect(face.embedding).toHaveLength(512);
      expect(face.magnitude).toBeCloseTo(magnitudeOf(face.embedding), 6);
      expect(face.quality).toBeGreaterThanOrEqual(0);
    }
    expect(await magface.detect(samplePhoto(1))).toHaveLength(3);
  });
});
