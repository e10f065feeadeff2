/** Downloads end in the bytes, or in one of five faults, or in the reason of the signal; never in more than the limit. */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FetchFault, fetchBytes } from '../src/fetch-bytes.ts';

const content = Buffer.from('0123456789');
const answers: Record<string, RequestListener> = {
  '/whole': (_, response) => response.end(content),
  '/unannounced': (_, response) => response.write(content.subarray(0, 6)) && response.end(content.subarray(6)),
  '/endless': (_, response) => {
    const more = setInterval(() => response.write(content), 1);
    response.on('close', () => {
      clearInterval(more);
      left();
    });
  },
  '/missing': (_, response) => response.writeHead(404).end(),
  '/moved': (_, response) => response.writeHead(302, { location: '/whole' }).end(),
  '/cut': (_, response) => {
    response.writeHead(200, { 'content-length': 100 });
    response.write(content, () => response.destroy());
  },
  '/silent': () => undefined,
};
let left: () => void = () => undefined;
let server: Server;
let base = '';
beforeAll(async () => {
  server = createServer((request, response) => answers[request.url ?? '']?.(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.closeAllConnections());

const fault = (path: string, options: object = {}): Promise<unknown> =>
  fetchBytes(base + path, { limit: 10, ...options }).catch((error: unknown) => error);

test.each(['/whole', '/unannounced'])('%s: returns the bytes in their own memory, with progress', async (path) => {
  const seen: (readonly [number, number | undefined])[] = [];
  const bytes = await fetchBytes(base + path, { limit: 10, onProgress: (...came) => seen.push(came) });
  expect(Buffer.from(bytes)).toEqual(content);
  expect(bytes.buffer.byteLength).toBe(10);
  expect(seen.at(-1)).toEqual([10, path === '/whole' ? 10 : undefined]);
});

test.each([
  ['/whole', { limit: 9 }, { kind: 'too_large', received: 10 }],
  ['/unannounced', { limit: 9 }, { kind: 'too_large' }],
  ['/missing', {}, { kind: 'refused', status: 404, statusText: 'Not Found' }],
  ['/moved', { redirect: 'error' }, { kind: 'unreachable' }],
  ['/cut', { limit: 1000 }, { kind: 'lost' }],
  ['/silent', { silence: 50 }, { kind: 'unreachable', cause: { message: 'the server sent nothing for 0.05 s' } }],
])('%s: fails with %j', async (path, options, expected) => {
  const error = await fault(path, options);
  expect(error).toBeInstanceOf(FetchFault);
  expect(error).toMatchObject(expected);
});

test('stops at the limit if a server sends without end', async () => {
  const closed = new Promise<void>((resolve) => {
    left = resolve;
  });
  expect(await fault('/endless', { limit: 100 })).toMatchObject({ kind: 'too_large' });
  await closed;
});

test('follows a redirect, and reports a server that cannot be reached', async () => {
  expect(Buffer.from(await fetchBytes(`${base}/moved`, { limit: 10 }))).toEqual(content);
  expect(await fetchBytes('http://127.0.0.1:9', { limit: 10 }).catch((error: unknown) => error)).toMatchObject({
    kind: 'unreachable',
  });
});

test('rejects with the reason of the signal when aborted', async () => {
  const reason = new Error('enough');
  expect(await fault('/silent', { signal: AbortSignal.abort(reason) })).toBe(reason);
  const later = new AbortController();
  const waiting = fault('/silent', { signal: later.signal });
  later.abort(reason);
  expect(await waiting).toBe(reason);
});
