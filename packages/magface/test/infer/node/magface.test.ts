import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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

describe('aligned faces', () => {
  test('embedding, magnitude and quality come from the model and its calibration', async () => {
    await using magface = await MagFace.load({ model, detector: false });
    const [face] = await magface.analyze(await plain(60, 0, 80), { aligned: true });
    expect([...face!.embedding]).toEqual([60, 0, 80].map((v) => expect.closeTo(v, 3)));
    expect(face).toMatchObject({ magnitude: expect.closeTo(100, 3), quality: 50 });
  });

  test('flip adds the mirrored embedding and leaves the magnitude alone', async () => {
    await using magface = await MagFace.load({ model, detector: false });
    const [face] = await magface.analyze(await plain(60, 0, 80), { aligned: true, flip: true });
    expect(magnitudeOf(face!.embedding)).toBeCloseTo(200, 2);
    expect(face!.magnitude).toBeCloseTo(100, 2);
  });

  test('a stream keeps the order over batches, and a broken image is a result among the others', async () => {
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

  test('a camera’s faces come as it gives them, though no batch is full', async () => {
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

  test('options and inputs that are none are refused by name', async () => {
    for (const [key, value] of Object.entries({ engine: 'x', device: 'cuda', threads: -2, batchSize: 1.5 })) {
      await expect(MagFace.load({ [key]: value }), key).rejects.toMatchObject({ code: 'wrong_configuration', key });
    }
    await expect(MagFace.load({ model, signal: AbortSignal.abort() })).rejects.toThrow('aborted');
    await using magface = await MagFace.load({ model, detector: false });
    expect(() => magface.stream('photo.jpg')).toThrow('Expected a list of images but received one');
    const aligned = { aligned: true };
    expect(() => magface.stream([], { ...aligned, maxFaces: 0 })).toThrow('a whole number above 0 as maxFaces');
    for (const input of [undefined, null, 42, {}, new ArrayBuffer(3)]) {
      const analyzed = magface.analyze(input as unknown as string, aligned);
      await expect(analyzed, `${input}`).rejects.toMatchObject({ code: 'image_unreadable' });
    }
  });

  test('released twice it is released once, and says so to whoever comes later', async () => {
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

  test('a whole photo needs a detector, and that is said at once', async () => {
    await using magface = await MagFace.load({ model, detector: false });
    expect(() => magface.stream([samplePhoto(1)])).toThrow(/pass `aligned: true`, or load a detector/);
  });
});

describe('photos with the default models from the npm registry', () => {
  test('one photo: three faces, each aligned, embedded and with its magnitude', async () => {
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
