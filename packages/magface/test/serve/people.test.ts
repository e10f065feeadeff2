/** People over HTTP, against a gallery that remembers what it was asked. */
import type { FastifyInstance } from 'fastify';
import { afterEach, expect, test } from 'vitest';
import type { People } from '../../src/gallery/gallery.ts';
import { createMetrics } from '../../src/serve/metrics.ts';
import { serveOptions } from '../../src/serve/options.ts';
import { createServer } from '../../src/serve/server.ts';
import { fakeEngine } from './fake-engine.ts';

const asked: unknown[] = [];
const gallery: People = {
  enrol: async (person, { embedding, quality }) => {
    asked.push(['enrol', person, [...embedding].map(Math.round), quality]);
    return { face: asked.length, faces: asked.length };
  },
  remove: async (person) => (person === 'ann' ? 3 : 0),
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

async function server(people: People | undefined): Promise<FastifyInstance> {
  const parts = { engine: fakeEngine(), metrics: createMetrics(), pageFolder: '/none', gallery: people };
  const app = await createServer(serveOptions.parse({}), parts);
  open.push(app);
  return app;
}

const image = (text: string) => ({ payload: Buffer.from(text), headers: { 'content-type': 'image/jpeg' } });

test('faces are enrolled under any name, one by one', async () => {
  const app = await server(gallery);
  const reply = await app.inject({ method: 'POST', url: '/v1/people/Ann%20O%27Hara/faces', ...image('face 90') });
  expect(reply.json()).toEqual({ person: "Ann O'Hara", faces: [{ face: 1, magnitude: 5, quality: 50 }], total: 1 });
  expect(asked).toEqual([['enrol', "Ann O'Hara", [0, 5], 50]]);
  const none = await app.inject({ method: 'POST', url: '/v1/people/ann/faces', ...image('none') });
  expect([none.statusCode, none.json().error.code]).toEqual([422, 'no_face']);
});

test('a name with a NUL character, which PostgreSQL cannot keep, is refused in words', async () => {
  const app = await server(gallery);
  const enrolment = await app.inject({ method: 'POST', url: '/v1/people/a%00b/faces', ...image('face 90') });
  const removal = await app.inject({ method: 'DELETE', url: '/v1/people/a%00b' });
  const message = 'Expected another request: params/id must have no NUL character.';
  for (const reply of [enrolment, removal])
    expect([reply.statusCode, reply.json()]).toEqual([400, { error: { code: 'wrong_request', message } }]);
  expect(asked).toEqual([]);
});

test('a search tells the best matches and the decision on each', async () => {
  const app = await server(gallery);
  const reply = await app.inject({ method: 'POST', url: '/v1/search?limit=2', ...image('face 0') });
  expect(asked).toEqual([['search', [5, 0], { limit: 2 }]]);
  expect(reply.json()).toEqual({
    threshold: 0.5,
    fmr: 0.001,
    matches: [
      { person: 'ann', similarity: 0.7, faces: 3, same: true },
      { person: 'bob', similarity: 0.4, faces: 1, same: false },
    ],
  });
  expect((await app.inject({ method: 'POST', url: '/v1/search?limit=0', ...image('face 0') })).statusCode).toBe(400);
});

test('whoever is forgotten was known', async () => {
  const app = await server(gallery);
  expect((await app.inject({ method: 'DELETE', url: '/v1/people/ann' })).json()).toEqual({ person: 'ann', removed: 3 });
  const unknown = await app.inject({ method: 'DELETE', url: '/v1/people/eve' });
  expect([unknown.statusCode, unknown.json().error.code]).toEqual([404, 'not_found']);
});

test('without a gallery there are no people', async () => {
  const app = await server(undefined);
  expect((await app.inject({ method: 'POST', url: '/v1/search', ...image('face 0') })).statusCode).toBe(404);
  expect(Object.keys((await app.inject('/openapi.json')).json().paths)).not.toContain('/v1/search');
});
