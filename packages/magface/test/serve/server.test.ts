/** What is asked and answered, against inference whose faces are known. */
import type { FastifyInstance } from 'fastify';
import { afterEach, expect, test } from 'vitest';
import { ServiceError } from '../../src/errors.ts';
import type { InferenceQueue } from '../../src/serve/inference-queue.ts';
import { createMetrics } from '../../src/serve/metrics.ts';
import { serveOptions } from '../../src/serve/options.ts';
import { createServer } from '../../src/serve/server.ts';
import { fakeGallery } from './fake-gallery.ts';
import { fakeInference } from './fake-inference.ts';

const open: FastifyInstance[] = [];
afterEach(async () => {
  for (const app of open.splice(0)) await app.close();
});

async function server(
  options: Record<string, unknown> = {},
  inference: InferenceQueue = fakeInference(),
): Promise<FastifyInstance> {
  const app = await createServer(serveOptions.parse(options), {
    inference,
    metrics: createMetrics(),
    pageFolder: '/none',
  });
  open.push(app);
  return app;
}

/** A form as browsers send it. */
function form(
  files: readonly string[],
  names: readonly string[] = [],
): { payload: string; headers: Record<string, string> } {
  const parts = files.map(
    (text, at) =>
      `--x\r\nContent-Disposition: form-data; name="image"; filename="${names[at] ?? `${at}.jpg`}"\r\nContent-Type: image/jpeg\r\n\r\n${text}\r\n`,
  );
  return { payload: `${parts.join('')}--x--\r\n`, headers: { 'content-type': 'multipart/form-data; boundary=x' } };
}

const post = (app: FastifyInstance, url: string, body: ReturnType<typeof form>) =>
  app.inject({ method: 'POST', url, ...body });

test('a form with one image returns its faces, with the embedding on request', async () => {
  const app = await server();
  const reply = await post(app, '/v1/faces', form(['face 0']));
  expect(reply.statusCode).toBe(200);
  const { model, images } = reply.json();
  expect(model).toEqual({ name: 'fake', digest: 'f'.repeat(64) });
  expect(images).toHaveLength(1);
  expect(images[0]).toMatchObject({ image: '0.jpg', width: 100, height: 80 });
  expect(Object.keys(images[0].faces[0])).toEqual([
    'face',
    'box',
    'landmarks',
    'detection',
    'magnitude',
    'quality',
    'reasons',
    'estimates',
  ]);
  const more = await post(app, '/v1/faces?embedding=true', form(['face 0']));
  expect(more.json().images[0].faces[0].embedding).toEqual([5, 0]);
});

test('a single image needs no form', async () => {
  const app = await server();
  const reply = await app.inject({
    method: 'POST',
    url: '/v1/faces',
    payload: Buffer.from('face 9'),
    headers: { 'content-type': 'image/png' },
  });
  expect(reply.json().images[0]).toMatchObject({ image: 'image', faces: [{ face: 0 }] });
});

test('a form part that is marked as a file without a name is an image', async () => {
  const part = '--x\r\nContent-Disposition: form-data; name="image"\r\nContent-Type: application/octet-stream\r\n\r\n';
  const payload = `${part}face 1\r\n${part}face 2\r\n--x--\r\n`;
  const reply = await post(await server(), '/v1/faces', { ...form([]), payload });
  expect([reply.statusCode, reply.json().images]).toMatchObject([
    200,
    [
      { image: 'image 1', faces: [{}] },
      { image: 'image 2', faces: [{}] },
    ],
  ]);
});

test('one unusable image is an error; among several it is a result', async () => {
  const app = await server();
  const one = await post(app, '/v1/faces', form(['nonsense'], ['a.jpg']));
  expect([one.statusCode, one.json()]).toMatchObject([
    415,
    { error: { code: 'image_unreadable', message: 'Expected an image but a.jpg is text: convert it first.' } },
  ]);
  const two = await post(app, '/v1/faces', form(['nonsense', 'face 1']));
  expect(two.statusCode).toBe(200);
  expect(two.json().images).toMatchObject([{ image: '0.jpg', error: { code: 'image_unreadable' } }, { faces: [{}] }]);
});

test('compare decides at the measured threshold', async () => {
  const app = await server();
  const same = await post(app, '/v1/compare', form(['face 0', 'face 59']));
  expect(same.json()).toEqual({
    similarity: expect.closeTo(0.515038, 5),
    threshold: 0.5,
    fmr: 0.001,
    fmrAsked: 0.001,
    same: true,
    quality: [50, 50],
    likelihood: null,
  });
  const other = await post(app, '/v1/compare', form(['face 0', 'face 61']));
  expect(other.json().same).toBe(false);
  const between = await post(app, '/v1/compare?fmr=0.009', form(['face 0', 'face 59']));
  expect(between.json()).toMatchObject({ threshold: 0.5, fmr: 0.001, fmrAsked: 0.009 });
  const stricter = await post(app, '/v1/compare?fmr=0.0009', form(['face 0', 'face 0']));
  expect([stricter.statusCode, stricter.json().error]).toMatchObject([
    400,
    {
      code: 'wrong_request',
      message:
        'Expected a false match rate of at least 0.001 (the strictest measured for this model) but received 0.0009: use 0.001, or measure the model on more pairs with `magface calibrate --pairs`.',
    },
  ]);
  const none = await post(app, '/v1/compare', form(['face 0', 'none'], ['a.jpg', 'b.jpg']));
  expect([none.statusCode, none.json().error]).toMatchObject([
    422,
    {
      code: 'no_face',
      message: 'Expected a face but b.jpg shows none: send another photo.',
      subject: 'b.jpg',
      expected: 'a face',
      problem: 'shows none',
      remedy: 'send another photo',
    },
  ]);
  expect((await post(app, '/v1/compare', form(['face 0']))).json().error.message).toBe(
    'Expected 2 images but received 1: send a form with files named "image".',
  );
});

test('models, health, metrics and documentation respond', async () => {
  const app = await server();
  const models = (await app.inject('/v1/models')).json();
  expect(models.recogniser).toMatchObject({ name: 'fake', id: null, contract: { embeddingLength: 2 } });
  expect((await app.inject('/healthz')).json()).toEqual({ status: 'ok', waiting: 0 });
  await post(app, '/v1/faces', form(['face 0']));
  const metrics = (await app.inject('/metrics')).body;
  expect(metrics).toContain('magface_request_seconds_count{route="/v1/faces",status="200"} 1');
  expect(metrics).toContain('magface_faces_total 1');
  const document = (await app.inject('/openapi.json')).json();
  expect(Object.keys(document.paths)).toEqual(['/v1/faces', '/v1/compare', '/v1/models', '/healthz', '/metrics']);
  expect(Object.keys(document.paths['/v1/faces'].post.requestBody.content)).toEqual([
    'multipart/form-data',
    'image/*',
    'application/octet-stream',
    'application/json',
  ]);
  expect(document.paths['/v1/faces'].post.responses['200'].content['application/json'].schema).toEqual({
    $ref: '#/components/schemas/Faces',
  });
  const docs = await app.inject('/docs/');
  expect(docs.statusCode).toBe(200);
  const policy = docs.headers['content-security-policy'];
  expect(policy).toContain("default-src 'none'; script-src 'self';");
  expect(policy).not.toMatch(/upgrade-insecure-requests|https:/); // a phone on the same network asks by http
  expect(docs.body).toContain('theme/viewport.js');
  expect(docs.body).not.toMatch(/(src|href)="https?:/);
});

test('the API description says which requests need a key, lists errors and names every operation', async () => {
  const { paths, components, security } = (await (await server()).inject('/openapi.json')).json();
  expect(security).toEqual([{ bearer: [] }, { header: [] }]);
  expect(components.securitySchemes).toMatchObject({
    bearer: { type: 'http', scheme: 'bearer' },
    header: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
  });
  const operations = Object.values(paths as object).flatMap((path) => Object.values(path as object));
  expect(operations.map(({ operationId, security }) => [operationId, security])).toEqual([
    ['findFaces', undefined],
    ['compareFaces', undefined],
    ['getModels', undefined],
    ['getHealth', []],
    ['getMetrics', undefined],
  ]);
  const errors = { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } };
  for (const { operationId, responses } of operations.filter(({ security }) => security === undefined)) {
    expect(responses['401'], operationId).toMatchObject({ content: errors });
    const header = { 'Retry-After': { schema: { type: 'integer' } } };
    expect(responses['503'], operationId).toMatchObject({ headers: header, content: errors });
  }
  expect(Object.keys(paths['/metrics'].get.responses['200'].content)).toEqual(['text/plain']);
  expect(paths['/healthz'].get.responses['503']).not.toHaveProperty('headers');
});

test('`/` leads to the documentation if there is no page', async () => {
  const reply = await (await server()).inject('/');
  expect([reply.statusCode, reply.headers.location]).toEqual([302, '/docs']);
});

test.each([
  [
    'broken percent signs',
    '/v1/people/%E0%A4%A/faces',
    400,
    "Expected a complete and well-formed request but it is not ('/v1/people/%E0%A4%A/faces' is not",
  ],
  [
    'too long a name',
    `/v1/people/${'a'.repeat(201)}/faces`,
    414,
    'Expected a complete and well-formed request but it is not (',
  ],
])('an unreadable address gives the usual error: %s', async (_, url, status, words) => {
  const parts = { inference: fakeInference(), metrics: createMetrics(), gallery: fakeGallery(), pageFolder: '/none' };
  const app = await createServer(serveOptions.parse({}), parts);
  open.push(app);
  const reply = await post(app, url, form(['face 0']));
  expect([reply.statusCode, reply.json()]).toMatchObject([
    status,
    { error: { code: 'wrong_request', message: expect.stringContaining(words) } },
  ]);
  expect(reply.headers['content-type']).toMatch(/^application\/json/);
});

test('what exceeds a limit gets an error that names the limit', async () => {
  const app = await server({ maxImages: 2, maxBytes: 100 });
  const ask = async (body: ReturnType<typeof form>): Promise<unknown> => {
    const reply = await post(app, '/v1/faces', body);
    return [reply.statusCode, reply.json().error];
  };
  const message = (text: string): unknown => [
    413,
    expect.objectContaining({ code: 'request_too_large', message: text }),
  ];
  const many = 'Expected at most 2 images in one request but the form has more parts: split it, or raise --max-images.';
  expect(await ask(form(['face 0', 'face 1', 'face 2']))).toEqual(message(many));
  const large = 'Expected images of at most 100 bytes but one is larger: scale it down, or raise --max-bytes.';
  expect(await ask(form(['face 0'.padEnd(101)]))).toEqual(message(large));
  const bare = { payload: 'face 0'.padEnd(101), headers: { 'content-type': 'image/png' } };
  expect(await ask(bare)).toEqual(message(large));
});

test.each([
  ['/v1/faces?minScore=', 'minScore in the address to be a number but received ""'],
  ['/v1/faces?minScore=%20', 'minScore in the address to be a number but received " "'],
  ['/v1/faces?minScore=2', 'minScore in the address to be at most 1 but received "2"'],
  ['/v1/faces?aligned=maybe', 'aligned in the address to be one of true, 1, yes, on'],
  ['/v1/faces?quality=1', 'known parameters in the address but received quality'],
  ['/v1/compare?fmr=', 'fmr in the address to be a number but received ""'],
  ['/v1/compare?fmr=abc', 'fmr in the address to be a number but received "abc"'],
  ['/v1/compare?fmr=0', 'fmr in the address to be over 0 but received "0"'],
])('%s: explains what is wrong in the address', async (url, words) => {
  const reply = await post(await server(), url, form(['face 0', 'face 1']));
  const { code, message } = reply.json().error;
  expect([reply.statusCode, code]).toEqual([400, 'wrong_request']);
  expect(message).toContain(`Expected ${words}`);
  expect(message).toMatch(/: see \/docs\.$/);
});

test('a wrong method gets an error that names the right one', async () => {
  const app = await server();
  const reply = await app.inject('/v1/compare?fmr=abc');
  expect([reply.statusCode, reply.headers['allow'], reply.json().error]).toMatchObject([
    405,
    'POST',
    { code: 'wrong_method', message: 'Expected POST at /v1/compare but received GET: see /docs.' },
  ]);
  expect((await app.inject({ method: 'POST', url: '/healthz' })).headers['allow']).toBe('GET, HEAD');
});

test('without a key nothing under /v1 is accepted, but health stays public', async () => {
  const app = await server({ apiKeys: ['a-key-of-16-letters', 'another-of-16-letters'] });
  const body = form(['face 0']);
  const refused = await post(app, '/v1/faces', body);
  expect([refused.statusCode, refused.headers['www-authenticate'], refused.json().error.code]).toEqual([
    401,
    'Bearer',
    'unauthorized',
  ]);
  const withKey = (headers: Record<string, string>) =>
    post(app, '/v1/faces', { ...body, headers: { ...body.headers, ...headers } }).then(({ statusCode }) => statusCode);
  expect(await withKey({ authorization: 'Bearer another-of-16-letters' })).toBe(200);
  expect(await withKey({ 'x-api-key': 'a-key-of-16-letters' })).toBe(200);
  expect(await withKey({ 'x-api-key': 'a-key-of-16-letterS' })).toBe(401);
  const metrics = await app.inject('/metrics');
  expect([metrics.statusCode, metrics.json().error.code]).toEqual([401, 'unauthorized']);
  expect((await app.inject('/healthz')).statusCode).toBe(200);
  expect(() => serveOptions.parse({ apiKeys: ['short'] })).toThrow(/at least 16 letters/);
});

test('a full queue returns 503 with the seconds to wait', async () => {
  const analyze = (): Promise<never> =>
    Promise.reject(
      new ServiceError('busy', { expected: 'fewer images', remedy: 'try again in 7 s' }, { retryAfter: 7 }),
    );
  const reply = await post(await server({}, fakeInference({ analyze })), '/v1/faces', form(['face 0', 'face 1']));
  expect([reply.statusCode, reply.headers['retry-after'], reply.json().error.code]).toEqual([503, '7', 'busy']);
});

test('a request that does not fit into the queue is rejected before any of it is computed', async () => {
  const seen: number[] = [];
  const expectRoom = (images: number): void => {
    seen.push(images);
    throw new ServiceError('busy', { expected: 'room', remedy: 'wait' }, { retryAfter: 3 });
  };
  const analyze = (): Promise<never> => Promise.reject(new Error('an image was computed'));
  const app = await server({}, fakeInference({ analyze, expectRoom }));
  for (const url of ['/v1/faces', '/v1/compare']) {
    const reply = await post(app, url, form(['face 0', 'face 1']));
    expect([reply.statusCode, reply.headers['retry-after'], reply.json().error.code]).toEqual([503, '3', 'busy']);
  }
  expect(seen).toEqual([2, 2]);
  expect(() => serveOptions.parse({ queue: 4, maxImages: 5 })).toThrow('at least --max-images, 5');
});

test('a request that waits too long gets an error', async () => {
  const reply = await post(await server({ timeout: 0.05 }), '/v1/faces', form(['wait']));
  expect([reply.statusCode, reply.json().error.code]).toEqual([503, 'timed_out']);
});

test('health reports failed inference', async () => {
  const app = await server({}, fakeInference({ ended: Promise.resolve(new Error('gone')) }));
  const reply = await app.inject('/healthz');
  expect([reply.statusCode, reply.json().status]).toEqual([503, 'failed']);
});

test('a defect is reported without its message, which is in the log', async () => {
  const analyze = (): Promise<never> => Promise.reject(new TypeError('secret path /home/me'));
  const lines: string[] = [];
  const stream = { write: (line: string) => lines.push(line) } as unknown as NodeJS.WritableStream;
  const app = await createServer(serveOptions.parse({}), {
    inference: fakeInference({ analyze }),
    metrics: createMetrics(),
    pageFolder: '/none',
    logs: { level: 'error', stream },
  });
  open.push(app);
  const reply = await post(app, '/v1/faces', form(['face 0']));
  expect([reply.statusCode, reply.json().error.code]).toEqual([500, 'unexpected']);
  expect(reply.body).not.toContain('secret');
  expect(lines.map((line) => JSON.parse(line).err)).toMatchObject([
    { type: 'TypeError', message: 'secret path /home/me' },
  ]);
});

test('a disconnected client is not logged as a defect', async () => {
  const lines: string[] = [];
  const stream = { write: (line: string) => lines.push(line) } as unknown as NodeJS.WritableStream;
  let begin = (): void => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const analyze = (): Promise<never> => {
    begin();
    return new Promise((_, reject) => setTimeout(() => reject(new Error('aborted')), 100));
  };
  const options = { inference: fakeInference({ analyze }), metrics: createMetrics(), pageFolder: '/none' };
  const app = await createServer(serveOptions.parse({}), { ...options, logs: { level: 'error', stream } });
  open.push(app);
  const address = await app.listen({ port: 0, host: '127.0.0.1' });
  const client = new AbortController();
  const { payload, headers } = form(['face 0']);
  const asked = fetch(`${address}/v1/faces`, { method: 'POST', body: payload, headers, signal: client.signal });
  await begun;
  client.abort();
  await expect(asked).rejects.toThrow();
  await new Promise((done) => setTimeout(done, 200));
  expect(lines).toEqual([]);
});

test('URLs are rejected unless their host is allowed', async () => {
  const ask = async (app: FastifyInstance, urls: unknown) => {
    const reply = await app.inject({ method: 'POST', url: '/v1/faces', payload: { urls } });
    return [reply.statusCode, reply.json().error.message];
  };
  expect(await ask(await server(), ['https://a.example/x.jpg'])).toEqual([
    400,
    'Expected images but received addresses, which this service rejects: send the image itself, or start the service with --url-host.',
  ]);
  const app = await server({ urlHosts: ['a.example'] });
  for (const url of [
    'http://a.example/x',
    'https://b.example/x',
    'https://u:p@a.example/x',
    'file:///etc/passwd',
    'https://a.example:444/x',
    'x',
  ])
    expect(await ask(app, [url]), url).toEqual([
      400,
      'Expected an https: address on a.example but received another address: send the image itself.',
    ]);
  expect((await ask(app, 'no list'))[1]).toContain('Expected JSON of the form');
});
