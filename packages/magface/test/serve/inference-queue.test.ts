/** The queue before a real inference thread, with a recogniser of a few hundred bytes. */
import { setMaxListeners } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { MagfaceError } from '../../src/errors.ts';
import type { AnalyzeRequest, ServedImage } from '../../src/serve/analyze-request.ts';
import { type InferenceQueue, openQueue, type QueueOptions } from '../../src/serve/inference-queue.ts';
import { tinyOnnx, tinyRecord } from '../support/tiny-onnx.ts';

const aligned: AnalyzeRequest = { aligned: true, minScore: undefined, minFace: undefined, maxFaces: 1 };

let folder: string;
const open: InferenceQueue[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'magface queue ü '));
  await writeFile(join(folder, 'tiny.onnx'), tinyOnnx(112, tinyRecord()));
});
afterAll(async () => {
  for (const inference of open) await inference.close();
  await rm(folder, { recursive: true });
});

async function inference(options: Omit<QueueOptions, 'model'> = {}): Promise<InferenceQueue> {
  const opened = await openQueue({ model: join(folder, 'tiny.onnx'), detector: false, workers: 1, ...options });
  open.push(opened);
  return opened;
}

/** A face of one colour: its embedding is that colour. */
async function face(red: number): Promise<Uint8Array> {
  const background = { r: red, g: 20, b: 30 };
  return new Uint8Array(
    await sharp({ create: { width: 112, height: 112, channels: 3, background } })
      .png()
      .toBuffer(),
  );
}

const patient = { name: 'a.png', signal: new AbortController().signal };
setMaxListeners(0, patient.signal);
const red = ({ faces }: ServedImage): number => Math.round(faces[0]!.embedding[0]!);

test('batches concurrent requests with the same options, and gives each its own result', async () => {
  const batches: number[] = [];
  const opened = await inference({ batch: 8, onBatch: (images) => batches.push(images) });
  expect(opened.models.recogniser.contract.embeddingLength).toBe(3);
  const images = await Promise.all(Array.from({ length: 12 }, (_, at) => face(10 * at)));
  const answers = await Promise.all(
    images.map((image, at) => opened.analyze(image, { ...aligned, maxFaces: at === 3 ? 2 : 1 }, patient)),
  );
  expect(answers.map(red)).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110]);
  await expect.poll(() => batches).toEqual([8, 1, 3]);
});

test('rejects requests when the queue is full, and says when to try again', async () => {
  const opened = await inference({ queue: 2, batch: 1 });
  const images = await Promise.all([1, 2, 3].map(face));
  opened.expectRoom(2);
  expect(() => opened.expectRoom(3)).toThrow(
    'Expected room in the queue of 2 images but 0 are already waiting: try again in 1 s.',
  );
  const answers = await Promise.allSettled(images.map((image) => opened.analyze(image, aligned, patient)));
  expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
  expect((answers[2] as PromiseRejectedResult).reason).toMatchObject({ code: 'busy', retryAfter: 1 });
});

test('removes a disconnected client from the queue', async () => {
  const opened = await inference({ batch: 1 });
  const [first, second] = await Promise.all([face(1), face(2)]);
  const leaving = new AbortController();
  const stays = opened.analyze(first!, aligned, patient);
  const leaves = opened.analyze(second!, aligned, { name: 'b.png', signal: leaving.signal });
  expect(opened.waiting).toBe(2);
  leaving.abort();
  expect(opened.waiting).toBe(1);
  await expect(leaves).rejects.toMatchObject({ name: 'AbortError' });
  expect(red(await stays)).toBe(1);
});

test('names an unusable image as the client does, without affecting others', async () => {
  const opened = await inference({ limits: { pixels: 20_000 } });
  const huge = await sharp({ create: { width: 400, height: 400, channels: 3, background: 'red' } })
    .png()
    .toBuffer();
  const [text, large, good] = await Promise.allSettled([
    opened.analyze(new TextEncoder().encode('hello'), aligned, { ...patient, name: 'hello.jpg' }),
    opened.analyze(new Uint8Array(huge), aligned, { ...patient, name: 'huge.png' }),
    opened.analyze(await face(7), aligned, patient),
  ]);
  expect(text).toMatchObject({
    reason: { name: 'ImageError', code: 'image_unreadable', image: 'hello.jpg', message: /hello\.jpg is a text file/ },
  });
  expect(large).toMatchObject({
    reason: { code: 'image_too_large', message: /at most 0\.02 megapixels but huge\.png/ },
  });
  expect(good).toMatchObject({ status: 'fulfilled' });
});

test('reports a defect in the thread with its location, and processes the next image', async () => {
  const opened = await inference();
  // Nothing that a client can send: only what is wrong in our own code fails like it.
  const nonsense = { data: 3, width: 1n, height: 1, buffer: new ArrayBuffer(8) } as unknown as Uint8Array;
  const error = await opened.analyze(nonsense, aligned, patient).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(Error);
  expect(error).not.toBeInstanceOf(MagfaceError); // those are told to clients
  expect((error as Error).stack).toMatch(/read-image/);
  expect(red(await opened.analyze(await face(9), aligned, patient))).toBe(9);
});

test('tells the operator, but not clients, why a thread ended', async () => {
  const opened = await inference();
  const posts = vi.spyOn(Worker.prototype, 'postMessage').mockImplementation(() => undefined); // the image does not arrive
  const waits = opened.analyze(await face(1), aligned, patient);
  const told = expect(waits).rejects.toMatchObject({
    code: 'engine_failed',
    message: 'Expected inference to continue but its thread ended: try again later.',
  });
  await expect.poll(() => posts.mock.contexts.length).toBe(1);
  (posts.mock.contexts[0] as Worker).emit('error', new Error('out of memory in /secret'));
  posts.mockRestore();
  await told;
  expect((await opened.ended)?.message).toBe(
    'Expected inference to continue but its thread ended (out of memory in /secret): start the service again.',
  );
});

test('reports a missing model at the start', async () => {
  await expect(openQueue({ model: join(folder, 'none.onnx'), detector: false })).rejects.toMatchObject({
    name: 'ModelError',
    code: 'model_unknown',
  });
});

test('ends waiting requests when it closes', async () => {
  const opened = await inference();
  const waits = opened.analyze(await face(1), aligned, patient);
  const refused = expect(waits).rejects.toMatchObject({ code: 'engine_failed' });
  await opened.close();
  await refused;
  expect(await opened.ended).toBeUndefined();
});
