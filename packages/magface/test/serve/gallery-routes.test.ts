/** People over HTTP, against a gallery that remembers what it was asked. */
import type { FastifyInstance } from 'fastify';
import { afterEach, expect, test } from 'vitest';
import type { SearchableGallery } from '../../src/gallery/gallery.ts';
import { createMetrics } from '../../src/serve/metrics.ts';
import { serveOptions } from '../../src/serve/options.ts';
import { createServer } from '../../src/serve/server.ts';
import { fakeInference } from './fake-inference.ts';

const asked: unknown[] = [];
const gallery: SearchableGallery = {
  enrol: async (person, { embedding, quality }) => {
    asked.push(['enrol', person, [...embedding].map(Math.round), quality]);
    return { face: asked.length, faces: asked.length, known: person === 'known' };
  },
  remove: async (person) => (person === 'ann' ? 3 : 0),
  count: async () => ({ people: 30, faces: 90 }),
  search: async (embedding, options) => {
    asked.push(['search', [...embedding].map(Math.round), options]);
    return [
      { person: 'ann', similarity: 0.7, faces: 3 },
      { person: 'bob', similarity: 0.4, faces: 1 },
    ];
  },
};

const open: FastifyInstance[] = [];
afterEach(async () => {
  asked.length = 0;
  for (const app of open.splice(0)) await app.close();
});

async function server(people: SearchableGallery | undefined): Promise<FastifyInstance> {
  const parts = { inference: fakeInference(), metrics: createMetrics(), pageFolder: '/none', gallery: people };
  const app = await createServer(serveOptions.parse({}), parts);
  open.push(app);
  return app;
}

const image = (text: string) => ({ payload: Buffer.from(text), headers: { 'content-type': 'image/jpeg' } });

test('faces are enrolled one by one, under any name', async () => {
  const app = await server(gallery);
  const reply = await app.inject({ method: 'POST', url: '/v1/people/Ann%20O%27Hara/faces', ...image('face 90') });
  expect(reply.json()).toEqual({
    person: "Ann O'Hara",
    faces: [{ face: 1, magnitude: 5, quality: 50, known: false }],
    total: 1,
  });
  expect(asked).toEqual([['enrol', "Ann O'Hara", [0, 5], 50]]);
  const none = await app.inject({ method: 'POST', url: '/v1/people/ann/faces', ...image('none') });
  expect([none.statusCode, none.json().error.code]).toEqual([422, 'no_face']);
});

test('an image with several faces, or a poor one, is rejected unless the request allows it', async () => {
  const app = await server(gallery);
  const ask = async (query: string, text: string) => {
    const reply = await app.inject({ method: 'POST', url: `/v1/people/ann/faces${query}`, ...image(text) });
    return [reply.statusCode, reply.json().error?.message ?? reply.json().faces.length];
  };
  expect(await ask('', 'faces 0 40')).toEqual([
    422,
    'Expected one face in image but found 2: crop the image to the person, or use the largest face with ?largest=true.',
  ]);
  expect(await ask('?largest=true', 'faces 0 40')).toEqual([200, 1]);
  expect(await ask('?minQuality=51', 'face 0')).toEqual([
    422,
    'Expected a face of quality 51 or more in image but its quality is 50 (blurred: edges 3.2 pixels wide in the aligned face, at most 1.35 is good): take a better photo, or lower minQuality.',
  ]);
  expect(asked).toHaveLength(1);
});

test('a picture that the person already has is reported as known', async () => {
  const app = await server(gallery);
  const reply = await app.inject({ method: 'POST', url: '/v1/people/known/faces', ...image('face 90') });
  expect(reply.json().faces).toEqual([{ face: 1, magnitude: 5, quality: 50, known: true }]);
});

test('an invalid name is rejected in words', async () => {
  const app = await server(gallery);
  for (const [name, fault] of [
    ['a%00b', 'it has a NUL character'],
    ['%20%20', 'it is empty'],
  ] as const) {
    const enrolment = await app.inject({ method: 'POST', url: `/v1/people/${name}/faces`, ...image('face 90') });
    const removal = await app.inject({ method: 'DELETE', url: `/v1/people/${name}` });
    const message = `Expected a name for the person but ${fault}: choose another.`;
    for (const reply of [enrolment, removal])
      expect([reply.statusCode, reply.json()]).toEqual([400, { error: { code: 'wrong_request', message } }]);
  }
  expect(asked).toEqual([]);
});

test('a search returns the best matches and the decision on each', async () => {
  const app = await server(gallery);
  const reply = await app.inject({ method: 'POST', url: '/v1/search?limit=2', ...image('face 0') });
  expect(asked).toEqual([['search', [5, 0], { limit: 2 }]]);
  expect(reply.json()).toEqual({
    threshold: 0.5,
    fmr: 0.001,
    fmrAsked: 0.001,
    people: 30,
    expectedFalseHits: 0.03,
    matches: [
      { person: 'ann', similarity: 0.7, faces: 3, same: true },
      { person: 'bob', similarity: 0.4, faces: 1, same: false },
    ],
  });
  const looser = await app.inject({ method: 'POST', url: '/v1/search?fmr=0.005', ...image('face 0') });
  expect(looser.json()).toMatchObject({ threshold: 0.5, fmr: 0.001, fmrAsked: 0.005 });
  const stricter = await app.inject({ method: 'POST', url: '/v1/search?fmr=0.0001', ...image('face 0') });
  expect([stricter.statusCode, stricter.json().error.message]).toEqual([
    400,
    'Expected a false match rate of at least 0.001, the strictest measured for this model, but received 0.0001: use 0.001, or measure the model on more pairs with `magface calibrate --pairs`.',
  ]);
  expect((await app.inject({ method: 'POST', url: '/v1/search?limit=0', ...image('face 0') })).statusCode).toBe(400);
});

test('deletes only a known person', async () => {
  const app = await server(gallery);
  expect((await app.inject({ method: 'DELETE', url: '/v1/people/ann' })).json()).toEqual({ person: 'ann', removed: 3 });
  const unknown = await app.inject({ method: 'DELETE', url: '/v1/people/eve' });
  expect([unknown.statusCode, unknown.json().error.code]).toEqual([404, 'not_found']);
});

test('without a gallery, requests about people explain how to start one', async () => {
  const app = await server(undefined);
  const message = 'Expected a service with a gallery but this one has none: start it with --gallery WHERE.';
  for (const [method, url] of [
    ['POST', '/v1/search?limit=2'],
    ['POST', '/v1/people/x/faces'],
    ['DELETE', '/v1/people/x'],
  ] as const) {
    const reply = await app.inject({ method, url, ...image('face 0') });
    expect([reply.statusCode, reply.json()], url).toEqual([404, { error: { code: 'not_found', message } }]);
  }
  expect(Object.keys((await app.inject('/openapi.json')).json().paths)).not.toContain('/v1/search');
});
