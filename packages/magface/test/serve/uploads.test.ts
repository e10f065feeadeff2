/** Images fetched from addresses: from servers that break off, dawdle or are not there. */
import { createServer as createHttpServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createMetrics } from '../../src/serve/metrics.ts';
import { serveOptions } from '../../src/serve/options.ts';
import { createServer } from '../../src/serve/server.ts';
import { fakeInference } from './fake-inference.ts';

/** What the server of images does, by path. */
const answers: Record<string, (response: ServerResponse) => void> = {
  '/face': (response) => response.end('face 1'),
  '/broken': (response) => {
    response.writeHead(200, { 'Content-Length': 100 }).write('face');
    setTimeout(() => response.destroy(), 20);
  },
  '/silent': () => undefined,
  '/slow': (response) => response.writeHead(200, { 'Content-Length': 100 }).write('face'),
  '/hung-up': (response) => response.destroy(),
  '/large': (response) => response.end('a'.repeat(20_000)),
  '/missing': (response) => response.writeHead(404).end(),
  '/moved': (response) => response.writeHead(302, { Location: '/face' }).end(),
};

let images: Server;
let app: FastifyInstance;

beforeAll(async () => {
  images = createHttpServer(({ url }, response) => answers[url!]!(response));
  await new Promise<void>((resolve) => images.listen(0, '127.0.0.1', resolve));
  const { port } = images.address() as AddressInfo;
  const { fetch } = globalThis;
  // Without a certificate: what is asked of the host by https goes to the server of this test.
  vi.stubGlobal('fetch', (address: string, init: RequestInit) =>
    fetch(address.replace('https://a.example', `http://127.0.0.1:${port}`), init),
  );
  const options = serveOptions.parse({ urlHosts: ['a.example'], maxBytes: 10_000, timeout: 2 });
  app = await createServer(options, { inference: fakeInference(), metrics: createMetrics(), pageFolder: '/none' });
});
afterAll(async () => {
  vi.unstubAllGlobals();
  await app.close();
  images.closeAllConnections();
  images.close();
});

/** @returns status, and the error's code and words */
async function ask(path: string): Promise<readonly unknown[]> {
  const payload = { urls: [`https://a.example${path}`] };
  const reply = await app.inject({ method: 'POST', url: '/v1/faces', payload });
  const { code, message } = reply.json().error ?? {};
  return [reply.statusCode, code, message];
}

test('downloads an image', async () => {
  expect(await ask('/face')).toEqual([200, undefined, undefined]);
});

test.each([
  ['/missing', 'the server answered 404: check the address'],
  ['/moved', 'the server did not answer: check the address'],
  ['/hung-up', 'the server did not answer: check the address'],
  ['/large', 'it has more than 10000 bytes: send a smaller one'],
  ['/broken', 'the connection was lost: try again'],
])('%s: tells the client that %s', async (path, why) => {
  expect(await ask(path)).toEqual([400, 'wrong_request', `Expected an image at https://a.example${path} but ${why}.`]);
});

test.each(['/silent', '/slow'])('%s: reports a slow server as a timeout', async (path) => {
  expect(await ask(path)).toEqual([503, 'timed_out', expect.stringMatching(/^Expected an answer within 2 s/)]);
});
