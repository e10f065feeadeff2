/** Broken, huge and hostile requests over a real socket: each is answered 4xx or cut off, and the service goes on. */
import { connect } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createMetrics } from '../../src/serve/metrics.ts';
import { serveOptions } from '../../src/serve/options.ts';
import { createServer } from '../../src/serve/server.ts';
import { fakeInference } from './fake-inference.ts';

let app: FastifyInstance;
let port: number;
const lines: string[] = [];

beforeAll(async () => {
  const options = serveOptions.parse({ maxBytes: 10_000, maxImages: 3, maxBytesInFlight: 100_000, timeout: 1 });
  const stream = { write: (line: string) => lines.push(line) } as unknown as NodeJS.WritableStream;
  app = await createServer(options, {
    inference: fakeInference(),
    metrics: createMetrics(),
    pageFolder: '/none',
    logs: { level: 'info', stream },
  });
  port = Number(new URL(await app.listen({ host: '127.0.0.1', port: 0 })).port);
});
afterAll(() => app.close());

/** Sends bytes as they are. @returns all that came back until the connection ended */
function raw(text: string, { hangUp = false } = {}): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(text);
      if (hangUp) setTimeout(() => socket.destroy(), 30);
    });
    let answer = '';
    socket.on('data', (data) => {
      answer += data;
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(answer));
  });
}

const request = (body: string, headers: Record<string, string | number | undefined> = {}): string => {
  const head = { Host: 'x', Connection: 'close', 'Content-Length': Buffer.byteLength(body), ...headers };
  const lines = Object.entries(head).flatMap(([name, value]) => (value === undefined ? [] : `${name}: ${value}`));
  return `POST /v1/faces HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`;
};
/** Of a request without a Content-Length. */
const ofNoLength = { 'Transfer-Encoding': 'chunked', 'Content-Length': undefined };
const chunked = (body: string): string => `${Buffer.byteLength(body).toString(16)}\r\n${body}\r\n0\r\n\r\n`;
const boundary = { 'Content-Type': 'multipart/form-data; boundary=x' };
const part = (content: string, name = 'a.jpg', field = 'image'): string =>
  `--x\r\nContent-Disposition: form-data; name="${field}"; filename="${name}"\r\nContent-Type: image/jpeg\r\n\r\n${content}\r\n`;
const statusOf = (answer: string): number => Number(/^HTTP\/1.1 (\d+)/.exec(answer)?.[1] ?? 0);

const hostile: Record<string, readonly [string, number]> = {
  'no body': [request(''), 400],
  'an image over the limit, bare': [request('a'.repeat(20_000), { 'Content-Type': 'image/jpeg' }), 413],
  'an image over the limit, in a form': [request(`${part('a'.repeat(20_000))}--x--\r\n`, boundary), 413],
  'a length beyond all limits': [request('a', { 'Content-Type': 'image/jpeg', 'Content-Length': 5e9 }), 413],
  'more images than allowed': [request(`${part('face 1').repeat(4)}--x--\r\n`, boundary), 413],
  'two hundred small parts': [request(`${part('a').repeat(200)}--x--\r\n`, boundary), 413],
  'ten thousand parts': [request(`${part('a').repeat(10_000)}--x--\r\n`, boundary), 413],
  'ten thousand parts of no announced length': [
    request(chunked(`${part('a').repeat(10_000)}--x--\r\n`), { ...boundary, ...ofNoLength }),
    413,
  ],
  'a part within a part': [
    request(
      `--x\r\nContent-Type: multipart/mixed; boundary=y\r\nContent-Disposition: form-data; name="image"\r\n\r\n--y\r\n\r\nface 1\r\n--y--\r\n--x--\r\n`,
      boundary,
    ),
    400,
  ],
  'a hundred headers in a part': [request(`--x\r\n${'X-A: b\r\n'.repeat(100)}\r\nface 1\r\n--x--\r\n`, boundary), 400],
  'a body that claims to be compressed': [
    request('face 1', { 'Content-Type': 'image/jpeg', 'Content-Encoding': 'gzip' }),
    415,
  ],
  'a length that is too short': [request('nonsense', { 'Content-Type': 'image/jpeg', 'Content-Length': 3 }), 400],
  'a length that is none': [request('face 1', { 'Content-Type': 'image/jpeg', 'Content-Length': '-1' }), 400],
  'two lengths': [request('face 1', { 'Content-Type': 'image/jpeg', 'content-length': 600 }), 400],
  'a length and none': [
    request(chunked('face 1'), { 'Content-Type': 'image/jpeg', 'Transfer-Encoding': 'chunked' }),
    400,
  ],
  'a form without a boundary': [request('abc', { 'Content-Type': 'multipart/form-data' }), 400],
  'a form that breaks off': [request(part('face 1').slice(0, -20), boundary), 400],
  'a form of noise': [request('\u0000\u0001--x\r\n\r\n--x--', boundary), 400],
  'text fields': [
    request(`--x\r\nContent-Disposition: form-data; name="image"\r\n\r\nface 1\r\n--x--\r\n`, boundary),
    400,
  ],
  'a prototype as a field’s name': [request(`${part('face 1', 'a', '__proto__')}--x--\r\n`, boundary), 400],
  'a type that is none of ours': [request('<xml/>', { 'Content-Type': 'text/xml' }), 415],
  'JSON that is none': [request('{"urls": [', { 'Content-Type': 'application/json' }), 400],
  'a poisoned prototype': [request('{"__proto__": {"a": 1}}', { 'Content-Type': 'application/json' }), 400],
  'an unreadable image': [request('GIF89a nonsense', { 'Content-Type': 'image/gif' }), 415],
  'an unknown option': [
    request('face 1', { 'Content-Type': 'image/jpeg' }).replace('/v1/faces', '/v1/faces?rm=-rf'),
    400,
  ],
  'a method of another kind': [request('').replace('POST', 'DELETE'), 405],
  'an address of broken percent signs': [request('').replace('/v1/faces', '/v1/people/%E0%A4%A/faces'), 400],
  'a path out of the folder': [
    'GET /docs/static/../../../../etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    403,
  ],
  'a coded path out of the folder': [
    'GET /docs/static/%2e%2e%2f%2e%2e%2fetc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    404,
  ],
  'no HTTP at all': ['\u0016\u0003\u0001 hello\r\n\r\n', 400],
  'endless headers': [`GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
};

test.each(Object.entries(hostile))('survives %s', async (_, [text, status]) => {
  expect(statusOf(await raw(text))).toBe(status);
  expect((await app.inject('/healthz')).statusCode).toBe(200);
});

test.each([
  ['bare', { 'Content-Type': 'image/jpeg' }, ''],
  ['in a form', boundary, part('').slice(0, -2)],
])('an endless upload, %s, is cut off', async (_, headers, start) => {
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.on('data', (data) => {
    answer += data;
  });
  socket.on('error', () => undefined);
  socket.write(request('', { ...headers, ...ofNoLength }));
  if (start !== '') socket.write(`${start.length.toString(16)}\r\n${start}\r\n`);
  const chunk = `3e8\r\n${'a'.repeat(1000)}\r\n`;
  const sending = setInterval(() => socket.writable && socket.write(chunk), 1);
  await new Promise((resolve) => socket.on('close', resolve));
  clearInterval(sending);
  expect([413, 408]).toContain(statusOf(answer));
  expect((await app.inject('/healthz')).statusCode).toBe(200);
});

test("a path in a file's name is repeated only as a name", async () => {
  const answer = await raw(request(`${part('face 1', '../../etc/passwd')}--x--\r\n`, boundary));
  expect(statusOf(answer)).toBe(200);
  expect(answer).toMatch(/"image":"(\.\.\/\.\.\/etc\/)?passwd"/);
});

test('a file name of 60,000 letters is repeated up to 200 of them', async () => {
  const answer = await raw(request(`${part('face 1', 'a'.repeat(60_000))}--x--\r\n`, boundary));
  expect(answer).toContain(`"image":"${'a'.repeat(200)}"`);
});

test('a client that disconnects during its upload or its wait leaves nothing behind', async () => {
  await raw(request('a'.repeat(100), { ...boundary, 'Content-Length': 9_000 }), { hangUp: true });
  await raw(request('wait', { 'Content-Type': 'image/jpeg' }), { hangUp: true });
  expect(statusOf(await raw(request('face 1', { 'Content-Type': 'image/jpeg' })))).toBe(200);
});

test('a client that sends too slowly is cut off, and a hundred of them delay no one', async () => {
  const slow = Array.from({ length: 100 }, () =>
    raw(request('a', { 'Content-Type': 'image/jpeg', 'Content-Length': 500 })),
  );
  expect(statusOf(await raw(request('face 1', { 'Content-Type': 'image/jpeg' })))).toBe(200);
  for (const answer of await Promise.all(slow)) expect(statusOf(answer)).toBe(408);
});

test('what is rejected before it is a request gets the usual error', async () => {
  const errorOf = (answer: string): unknown => JSON.parse(answer.split('\r\n\r\n')[1]!);
  const slow = await raw(request('a', { 'Content-Type': 'image/jpeg', 'Content-Length': 500 }));
  expect(slow).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\nContent-Type: application\/json/);
  expect(errorOf(slow)).toMatchObject({
    error: {
      code: 'timed_out',
      message: 'Expected the whole request within 1 s but it did not arrive: send it faster, or send less.',
    },
  });
  expect(errorOf(await raw('\u0016\u0003\u0001 hello\r\n\r\n'))).toMatchObject({
    error: {
      code: 'wrong_request',
      message: 'Expected an HTTP request but received something else: check the client.',
    },
  });
  expect(errorOf(await raw(`GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`))).toMatchObject({
    error: { code: 'request_too_large', message: expect.stringMatching(/^Expected headers of at most/) },
  });
});

test('the uploads in progress are limited in total', async () => {
  const large = (): string => request('a', { ...boundary, 'Content-Length': 40_000 });
  const answers = await Promise.all([raw(large()), raw(large()), raw(large()), raw(large())]);
  expect(answers.filter((answer) => statusOf(answer) === 503).length).toBe(2);
  expect(answers.some((answer) => /retry-after: 2/i.test(answer))).toBe(true);
});

test('an upload above that limit does not block requests without a body', async () => {
  const options = serveOptions.parse({ maxBytes: 100_000, maxBytesInFlight: 50_000 });
  const parts = { inference: fakeInference(), metrics: createMetrics(), pageFolder: '/none' };
  const other = await createServer(options, parts);
  const address = new URL(await other.listen({ host: '127.0.0.1', port: 0 }));
  const socket = connect(Number(address.port), '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(request('a', { ...boundary, 'Content-Length': 60_000 }));
  await expect
    .poll(async () => (await fetch(new URL('/v1/faces', address), { method: 'POST', body: 'a' })).status)
    .toBe(503);
  expect((await fetch(new URL('/healthz', address))).status).toBe(200);
  socket.destroy();
  await other.close();
});

test('logs contain requests and their results, but nothing of the images', async () => {
  await raw(
    request(`${part('face 77', 'secret-name.jpg')}--x--\r\n`, { ...boundary, 'X-API-Key': 'secret-key-of-mine' }),
  );
  const text = lines.join('');
  expect(text).toContain('"url":"/v1/faces"');
  expect(text).toContain('"statusCode":200');
  expect(text).not.toMatch(/face 77|secret-name|secret-key|embedding/);
});
