/** The client against a service that listens, and its types against the service's description. */
import { readFile } from 'node:fs/promises';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Answer, createClient } from '../../src/client/index.ts';
import { createMetrics } from '../../src/serve/metrics.ts';
import { serveOptions } from '../../src/serve/options.ts';
import { createServer } from '../../src/serve/server.ts';
import { fakeInference } from '../serve/fake-inference.ts';
import { clientTypes, describeService, typesOf } from './client-types.ts';

const key = 'a-key-of-16-letters';
let app: FastifyInstance;
let address: string;
beforeAll(async () => {
  const parts = { inference: fakeInference(), metrics: createMetrics(), pageFolder: '/none' };
  app = await createServer(serveOptions.parse({ apiKeys: [key] }), parts);
  address = await app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(() => app.close());

test('the generated types match the service', async () => {
  expect(await readFile(clientTypes, 'utf8')).toBe(await typesOf(await describeService()));
});

test('sends images as a form and returns typed responses', async () => {
  const client = createClient({ address, key });
  const photo = new File(['face 0'], 'ann.jpg', { type: 'image/jpeg' });
  const { data, error } = await client.POST('/v1/faces', {
    params: { query: { embedding: true } },
    body: { image: [photo, new Blob(['none'])] },
  });
  expect(error).toBeUndefined();
  const model: Answer<'Faces'>['model'] = data!.model;
  expect(model.name).toBe('fake');
  expect(data?.images).toMatchObject([
    { image: 'ann.jpg', faces: [{ quality: 50, embedding: [5, 0] }] },
    { image: 'blob', faces: [] },
  ]);
  const compared = await client.POST('/v1/compare', { body: { image: [photo, photo] } });
  expect(compared.data?.same).toBe(true);
});

test('sends a single image as the body, with its type or as plain bytes', async () => {
  const client = createClient({ address, key });
  const sent: (string | null)[] = [];
  client.use({ onRequest: ({ request }) => void sent.push(request.headers.get('Content-Type')) });
  const bytes = new TextEncoder().encode('face 0');
  const inWords = new Blob([bytes]);
  for (const body of [new Blob([bytes], { type: 'image/png' }), inWords, Buffer.from('face 0')]) {
    const { data, error } = await client.POST('/v1/faces', { body });
    expect(error).toBeUndefined();
    expect(data?.images).toMatchObject([{ image: 'image', faces: [{ quality: 50 }] }]);
  }
  expect(sent).toEqual(['image/png', ...Array(2).fill('application/octet-stream')]);
  const form = await client.POST('/v1/faces', { body: { image: [bytes] } });
  expect(form.data?.images).toMatchObject([{ faces: [{}] }]);
  const named = await client.POST('/v1/faces', { body: inWords, headers: { 'Content-Type': 'image/jpeg' } });
  expect([named.response.status, sent.at(-1)]).toEqual([200, 'image/jpeg']);
});

test('sends addresses as JSON', async () => {
  const { error } = await createClient({ address, key }).POST('/v1/faces', { body: { urls: ['https://a.example/x'] } });
  expect(error?.error.message).toContain('received addresses, which this service rejects');
});

test('returns a text response as data', async () => {
  const client = createClient({ address, key });
  const { data, error } = await client.GET('/metrics');
  expect(error).toBeUndefined();
  expect(data).toMatch(/^# HELP /);
  const text = await client.GET('/metrics', { parseAs: 'text' });
  expect(text.data).toMatch(/^# HELP /);
});

test('returns an error response as error', async () => {
  const { data, error } = await createClient({ address }).GET('/v1/models');
  expect(data).toBeUndefined();
  expect(error?.error.code).toBe('unauthorized');
});
