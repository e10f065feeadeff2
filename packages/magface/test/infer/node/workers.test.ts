/** Streams by worker threads, with a recogniser of a few hundred bytes whose embedding is the mean colour. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { AnalyzedFace } from '../../../src/face.ts';
import { type LoadOptions, MagFace } from '../../../src/infer/node/magface.ts';
import type { ImageInput } from '../../../src/infer/node/read-image.ts';
import type { AnalyzeOptions } from '../../../src/infer/pipeline.ts';
import { Thread } from '../../../src/machine/thread.ts';
import { tinyOnnx, tinyRecord } from '../../support/tiny-onnx.ts';

let folder: string;
let model: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'magface workers '));
  model = join(folder, 'tiny.onnx');
  await writeFile(model, tinyOnnx(112, tinyRecord()));
});
afterAll(() => rm(folder, { recursive: true }));

const load = (options: LoadOptions = {}): Promise<MagFace> =>
  MagFace.load({ model, detector: false, batchSize: 4, ...options });

/** A face of one colour. */
const plain = (red: number): Promise<Buffer> =>
  sharp({ create: { width: 112, height: 112, channels: 3, background: { r: red, g: 20, b: 30 } } })
    .png()
    .toBuffer();

/** A face in few words: how two differ is not to be printed for each of its pixels. */
const told = ({ crop, ...face }: AnalyzedFace) => ({
  ...face,
  crop: createHash('sha256').update(crop.data).digest('hex'),
});

async function stream(magface: MagFace, inputs: readonly ImageInput[], options: AnalyzeOptions = {}) {
  const seen: unknown[] = [];
  // A Set is no list whose length says that there are few.
  for await (const result of magface.stream(new Set(inputs), { aligned: true, ...options })) {
    const { error, faces } = result;
    seen.push({ ...result, faces: faces?.map(told), error: error && { ...error, message: error.message } });
  }
  return seen;
}

test('gives the same results in the same order with one worker and with three, for every kind of input', async () => {
  await writeFile(join(folder, 'face.png'), await plain(3));
  const inputs: ImageInput[] = [
    join(folder, 'face.png'),
    pathToFileURL(join(folder, 'face.png')),
    new URL('ftp://example.org/a.png'),
    join(folder, 'none.png'),
    new Uint8Array([1, 2, 3]),
    null as unknown as string,
    (() => undefined) as unknown as string,
    { data: new Uint8Array(2 * 3 * 112 * 112).fill(9).subarray(0, 3 * 112 * 112), width: 112, height: 112 },
    { data: new Uint8Array(12), width: 2, height: 2 },
    ...(await Promise.all(Array.from({ length: 12 }, (_, i) => plain(10 * i)))),
  ];
  await using here = await load({ workers: 1 });
  await using spread = await load({ workers: 3 });
  expect([here.workers, spread.workers]).toEqual([1, 3]);
  const expected = await stream(here, inputs, { flip: true });
  expect(expected).toHaveLength(inputs.length);
  expect(await stream(spread, inputs, { flip: true })).toEqual(expected);
  expect((inputs[4] as Uint8Array).length).toBe(3); // the caller's memory stays with the caller
});

test('lets a caller stop, abort or dispose without waiting for the rest, and then streams again', async () => {
  await using magface = await load({ workers: 2 });
  const face = await plain(7);
  async function* endless(): AsyncGenerator<Buffer> {
    for (;;) yield Buffer.from(face);
  }
  for await (const { faces } of magface.stream(endless(), { aligned: true })) {
    expect(faces).toHaveLength(1);
    break;
  }
  const abort = new AbortController();
  const aborted = async (): Promise<void> => {
    for await (const _ of magface.stream(endless(), { aligned: true, signal: abort.signal })) abort.abort();
  };
  await expect(aborted()).rejects.toMatchObject({ name: 'AbortError' });
  expect(await stream(magface, [face])).toHaveLength(1);
  const disposed = async (): Promise<void> => {
    for await (const _ of magface.stream(endless(), { aligned: true })) await magface[Symbol.asyncDispose]();
  };
  await expect(disposed()).rejects.toMatchObject({ code: 'disposed' });
  expect(() => magface.stream(endless(), { aligned: true })).toThrow('disposed');
});

test('passes on each error in its own class', async () => {
  await writeFile(join(folder, 'wrong.onnx'), tinyOnnx(112, { ...tinyRecord(), embeddingLength: 3 }).slice(0, -9));
  await expect(load({ model: join(folder, 'wrong.onnx'), workers: 2 })).rejects.toMatchObject({ name: 'ModelError' });
  await using magface = await load({ workers: 2, limits: { pixels: 100 } });
  const [result] = await stream(magface, [await plain(1)]);
  expect(result).toMatchObject({ error: { name: 'ImageError', code: 'image_too_large' } });
});

test('does not keep a program alive that forgets to dispose', async () => {
  const program = `
    const { MagFace } = await import(${JSON.stringify(new URL('../../../dist/index.js', import.meta.url).href)});
    const magface = await MagFace.load({ model: process.argv[1], detector: false, workers: 2 });
    for await (const { faces } of magface.stream(new Set([process.argv[2]]), { aligned: true })) console.log(faces.length);`;
  await writeFile(join(folder, 'one.png'), await plain(3));
  const words = ['--input-type=module', '-e', program, model, join(folder, 'one.png')];
  const { stdout } = await promisify(execFile)(process.execPath, words, { timeout: 60_000 });
  expect(stdout.trim()).toBe('1');
});

test('ends a thread only after it has stopped working: ending it within native code ends the process', async () => {
  const pending: number[] = [];
  const terminate = Thread.prototype.terminate;
  const spy = vi.spyOn(Thread.prototype, 'terminate').mockImplementation(function (
    this: Thread<unknown, unknown>,
    why,
  ) {
    pending.push(this.pending);
    return terminate.call(this, why);
  });
  try {
    const magface = await load({ workers: 2 });
    const face = await plain(7);
    const all = async (): Promise<void> => {
      for await (const _ of magface.stream(Array(100).fill(face), { aligned: true }))
        await magface[Symbol.asyncDispose]();
    };
    await expect(all()).rejects.toMatchObject({ code: 'disposed' });
    expect(pending).toEqual([0, 0]);
  } finally {
    spy.mockRestore();
  }
});
