/** Files that lie about themselves or would burst when decoded, through the service's real inference. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { FastifyInstance } from 'fastify';
import { zipSync } from 'fflate';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { crc32 } from '../../src/format/crc32.ts';
import { type InferenceQueue, openQueue } from '../../src/serve/inference-queue.ts';
import { createMetrics } from '../../src/serve/metrics.ts';
import { serveOptions } from '../../src/serve/options.ts';
import { createServer } from '../../src/serve/server.ts';
import { tinyOnnx, tinyRecord } from '../support/tiny-onnx.ts';

let folder: string;
let inference: InferenceQueue;
let app: FastifyInstance;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'magface-hostile-'));
  const model = join(folder, 'tiny.onnx');
  await writeFile(model, tinyOnnx(112, tinyRecord()));
  const options = serveOptions.parse({ maxPixels: 1e6 });
  const limits = { bytes: options.maxBytes, pixels: options.maxPixels };
  inference = await openQueue({ model, detector: false, threads: 1, limits });
  app = await createServer(options, { inference, metrics: createMetrics(), pageFolder: '/none' });
});
afterAll(async () => {
  await app.close();
  await inference.close();
  await rm(folder, { recursive: true });
});

const face = sharp({ create: { width: 112, height: 112, channels: 3, background: { r: 90, g: 60, b: 30 } } });
const text = (words: string): Buffer => Buffer.from(words);

/** A PNG that says it is of another size; its checksum agrees. */
function sized(png: Buffer, width: number, height: number): Buffer {
  const bytes = Buffer.from(png);
  bytes.writeUInt32BE(width, 16);
  bytes.writeUInt32BE(height, 20);
  bytes.writeUInt32BE(crc32(bytes.subarray(12, 29)), 29);
  return bytes;
}

/** A JPEG that says it is of the largest size there is. */
function largest(jpeg: Buffer): Buffer {
  const bytes = Buffer.from(jpeg);
  const frame = bytes.findIndex((_, at) => bytes[at] === 0xff && bytes[at + 1]! >= 0xc0 && bytes[at + 1]! <= 0xc2);
  bytes.writeUInt16BE(65_500, frame + 5);
  bytes.writeUInt16BE(65_500, frame + 7);
  return bytes;
}

const gifOf = (width: number, height: number): Buffer => {
  const head = Buffer.from('GIF89a00000\0\0,000000000\0\u0002\u0002D\u0001\0;', 'latin1');
  for (const at of [6, 18]) {
    head.writeUInt16LE(width, at);
    head.writeUInt16LE(height, at + 2);
  }
  return head;
};

const hostile: Record<string, readonly [() => Promise<Buffer>, number]> = {
  'a PNG of 3,600 megapixels': [async () => sized(await face.png().toBuffer(), 60_000, 60_000), 413],
  'a PNG of no size': [async () => sized(await face.png().toBuffer(), 0, 0), 415],
  'a JPEG of 4,290 megapixels': [async () => largest(await face.jpeg().toBuffer()), 413],
  'a GIF of 4,295 megapixels': [async () => gifOf(65_535, 65_535), 415],
  'a plain image of a million pixels and more': [async () => face.clone().resize(1200, 1000).png().toBuffer(), 413],
  'a JPEG cut short': [async () => (await face.jpeg().toBuffer()).subarray(0, 300), 415],
  'a PNG cut short': [async () => (await face.png().toBuffer()).subarray(0, 100), 415],
  'a JPEG’s first two bytes': [async () => Buffer.of(0xff, 0xd8), 415],
  nothing: [async () => Buffer.alloc(0), 415],
  zeros: [async () => Buffer.alloc(100_000), 415],
  'a zip of an image': [async () => Buffer.from(zipSync({ 'a.jpg': await face.jpeg().toBuffer() })), 415],
  'a zip that bursts': [async () => Buffer.from(zipSync({ 'a.jpg': new Uint8Array(2e7) })), 415],
  'a gzip of an image': [async () => gzipSync(await face.jpeg().toBuffer()), 415],
  'an SVG that reads a file': [
    async () =>
      text('<svg xmlns="http://www.w3.org/2000/svg" width="112" height="112"><image href="/etc/passwd"/></svg>'),
    415,
  ],
  'an SVG of entities that multiply': [
    async () =>
      text(
        `<!DOCTYPE s [<!ENTITY a "${'a'.repeat(1000)}"><!ENTITY b "${'&a;'.repeat(1000)}">]><svg>${'&b;'.repeat(1000)}</svg>`,
      ),
    415,
  ],
  'a PDF': [async () => text('%PDF-1.4\n1 0 obj<</Pages 2 0 R>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF'), 415],
  'a page of HTML': [async () => text('<html><script>alert(1)</script></html>'), 415],
  'a program': [
    async () => Buffer.concat([Buffer.from('\u007fELF\u0002\u0001\u0001', 'latin1'), Buffer.alloc(200)]),
    415,
  ],
  'a face of another size': [async () => face.clone().resize(20, 20).png().toBuffer(), 422],
};

const post = (payload: Buffer) =>
  app.inject({ method: 'POST', url: '/v1/faces', payload, headers: { 'content-type': 'image/jpeg' } });

test.each(Object.entries(hostile))('survives %s', async (_, [make, status]) => {
  const reply = await post(await make());
  expect([reply.statusCode, Object.keys(reply.json())]).toEqual([status, ['error']]);
  expect((await post(await face.png().toBuffer())).statusCode).toBe(200); // inference works after it
});
