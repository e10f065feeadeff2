/** People over HTTP, against a gallery that remembers what it was asked. */
import type { FastifyInstance } from 'fastify';
import { afterEach, expect, test } from 'vitest';
import { ConfigError } from '../../src/errors.ts';
import type { SearchableGallery } from '../../src/gallery/gallery.ts';
import { createMetrics } from '../../src/serve/metrics.ts';
import { serveOptions } from '../../src/serve/options.ts';
import { createServer } from '../../src/serve/server.ts';
import { fakeGallery } from './fake-gallery.ts';
import { fakeInference } from './fake-inference.ts';

const asked: unknown[] = [];

const stored = {
  person: 'ann',
  consent: 'signed',
  faces: [
    {
      ...{ face: 7, image: 'a.jpg', magnitude: 5, quality: 50.06, expires: null, added: '2026-11-29T12:00:00Z' },
      embedding: Float32Array.of(3, 4),
    },
  ],
};
const twin = { ...stored, person: 'anne' };
const listed = (person: string) => ({
  ...{ person, faces: 1, quality: 50.06, added: '2026-11-29T12:00:00Z', expires: null, consent: null },
});
const management: Partial<SearchableGallery> = {
  list: async () => ['ann', 'anne', 'bob'].map(listed),
  read: async (person) => (person === 'ann' ? stored : undefined),
  everybody: async function* () {
    yield* [stored, twin];
  },
  removeFace: async (person, face) => person === 'ann' && face === 7,
  rename: async (person, name) => {
    if (name === 'bob') {
      throw new ConfigError('to', {
        expected: 'a new name',
        problem: 'bob is in the gallery',
        remedy: 'choose another',
      });
    }
    return person === 'ann' ? 1 : 0;
  },
  merge: async (person) => (person === 'ann' ? 1 : 0),
};
const gallery: SearchableGallery = fakeGallery({
  enrol: async (person, { embedding, quality }, { image, consent, expires } = {}) => {
    asked.push(['enrol', person, [...embedding].map(Math.round), quality]);
    if (consent !== undefined) asked.push([image, consent, expires]);
    const enrolled = asked.filter((one) => (one as string[])[0] === 'enrol').length;
    return { face: enrolled, faces: enrolled, known: person === 'known' };
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
  similarityTo: async (person) => (person === 'stranger' ? undefined : 0.9),
  ...management,
});

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
  expect(asked).toEqual([expect.arrayContaining(['search']), ['enrol', "Ann O'Hara", [0, 5], 50]]);
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
    'Expected one face but image shows 2: crop the image to the person, or use the largest face with ?largest=true.',
  ]);
  expect(await ask('?largest=true', 'faces 0 40')).toEqual([200, 1]);
  expect(await ask('?minQuality=51', 'face 0')).toEqual([
    422,
    'Expected a face of quality 51 or more but image shows one of quality 50 (blurred: edges 3.2 pixels wide in the aligned face, at most 1.35 is good): take a better photo, or lower minQuality.',
  ]);
  expect(asked.filter((one) => (one as string[])[0] === 'enrol')).toHaveLength(1);
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
      expect([reply.statusCode, reply.json()]).toMatchObject([400, { error: { code: 'wrong_request', message } }]);
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
    named: null,
    margin: expect.closeTo(0.3, 10),
    openSet: null,
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
    'Expected a false match rate of at least 0.001 (the strictest measured for this model) but received 0.0001: use 0.001, or measure the model on more pairs with `magface calibrate --pairs`.',
  ]);
  const open = await app.inject({ method: 'POST', url: '/v1/search?fpir=0.002', ...image('face 0') });
  // Two people: each may be named to half of the strangers, so the model's threshold of 0.001 decides.
  expect(open.json()).toMatchObject({
    named: 'ann',
    openSet: { threshold: expect.closeTo(0.5, 6), fpir: 0.002, interval: null, source: 'model' },
  });
  expect((await app.inject({ method: 'POST', url: '/v1/search?limit=0', ...image('face 0') })).statusCode).toBe(400);
});

test('a face of somebody who is enrolled is rejected under a new name, unless the request accepts it', async () => {
  const app = await server(gallery);
  const ask = (query: string) =>
    app.inject({ method: 'POST', url: `/v1/people/stranger/faces${query}`, ...image('face 0') });
  const rejected = await ask('');
  expect([rejected.statusCode, rejected.json().error]).toEqual([
    409,
    {
      code: 'already_enrolled',
      message:
        'Expected a new person, stranger, in image but it shows ann, who is already enrolled (similarity 0.70): enrol it as ann, or accept it with ?acceptDoubtful=true.',
      expected: 'a new person, stranger, in image',
      problem: 'it shows ann, who is already enrolled (similarity 0.70)',
      remedy: 'enrol it as ann, or accept it with ?acceptDoubtful=true',
    },
  ]);
  const accepted = await ask('?acceptDoubtful=true&consent=signed&retainDays=30');
  expect(accepted.statusCode).toBe(200);
  const [name, consent, expires] = asked.at(-1) as [string, string, Date];
  expect([name, consent]).toEqual(['image', 'signed']);
  expect(expires.getTime() - Date.now()).toBeGreaterThan(29 * 24 * 60 * 60 * 1000);
});

test('people are listed by pages, and shown with all that is stored of them', async () => {
  const app = await server(gallery);
  const list = async (query: string) => (await app.inject(`/v1/people${query}`)).json();
  const first = await list('?limit=2');
  expect(first.people.map((one: { person: string }) => one.person)).toEqual(['ann', 'anne']);
  expect(first).toMatchObject({ total: 3, people: [{ quality: 50.1 }, {}] });
  expect((await list('?limit=2&after=anne')).people).toEqual([{ ...listed('bob'), quality: 50.1 }]);
  expect((await list('?after=zoe')).people).toEqual([]);

  const face = { ...stored.faces[0], quality: 50.1, embedding: undefined };
  const shown = (await app.inject('/v1/people/ann')).json();
  expect(shown).toEqual({ person: 'ann', consent: 'signed', faces: [face] });
  const { faces } = (await app.inject('/v1/people/ann?embedding=true')).json();
  expect(new Float32Array(Uint8Array.from(Buffer.from(faces[0].embedding, 'base64')).buffer)).toEqual(
    Float32Array.of(3, 4),
  );
  expect((await app.inject('/v1/people/eve')).statusCode).toBe(404);
});

test('a check names people enrolled twice', async () => {
  const { twins, people } = (await (await server(gallery)).inject('/v1/check')).json();
  expect([people, twins]).toEqual([2, [{ people: ['ann', 'anne'], similarity: expect.closeTo(1, 6) }]]);
});

test('one face is deleted, people are renamed and merged', async () => {
  const app = await server(gallery);
  const ask = async (method: 'DELETE' | 'POST', url: string) => {
    const reply = await app.inject({ method, url });
    return [reply.statusCode, reply.json().error?.message ?? reply.json()];
  };
  expect(await ask('DELETE', '/v1/people/ann/faces/7')).toEqual([200, { person: 'ann', removed: 1 }]);
  expect(await ask('DELETE', '/v1/people/ann/faces/8')).toEqual([
    404,
    'Expected face 8 of ann in the gallery but there is none: GET /v1/people/ann lists them.',
  ]);
  expect(await ask('POST', '/v1/people/ann/rename?to=Ann%20Lee')).toEqual([200, { person: 'Ann Lee', moved: 1 }]);
  expect(await ask('POST', '/v1/people/ann/rename?to=bob')).toEqual([
    400,
    'Expected a new name but bob is in the gallery: choose another.',
  ]);
  expect(await ask('POST', '/v1/people/ann/merge?into=bob')).toEqual([200, { person: 'bob', moved: 1 }]);
  expect((await ask('POST', '/v1/people/eve/merge?into=bob'))[0]).toBe(404);
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
    expect([reply.statusCode, reply.json()], url).toMatchObject([404, { error: { code: 'not_found', message } }]);
  }
  expect(Object.keys((await app.inject('/openapi.json')).json().paths)).not.toContain('/v1/search');
});
