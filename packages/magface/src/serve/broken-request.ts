/** Answers invalid HTTP, which Node's parser rejects before a route sees it. */
import { maxHeaderSize, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { ServiceErrorCode } from '../errors.ts';
import { errorBody } from './answers.ts';
import type { ServeOptions } from './options.ts';

type Told = readonly [status: number, code: ServiceErrorCode, message: string];

function describe(code: string | undefined, { timeout }: Pick<ServeOptions, 'timeout'>): Told {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    const message = `Expected the whole request within ${timeout} s but it did not arrive: send it faster, or send less.`;
    return [408, 'timed_out', message];
  }
  if (code === 'HPE_HEADER_OVERFLOW') {
    const message = `Expected headers of at most ${maxHeaderSize} bytes but received more: send fewer or shorter ones.`;
    return [431, 'request_too_large', message];
  }
  return [400, 'wrong_request', 'Expected an HTTP request but received something else: check the client.'];
}

/** @returns Fastify's handler of such connections: sends the usual error body, then closes */
export function brokenRequestHandler(
  options: Pick<ServeOptions, 'timeout'>,
): (error: NodeJS.ErrnoException, socket: Socket) => void {
  return (error, socket) => {
    if (error.code === 'ECONNRESET' || socket.destroyed) return;
    const [status, code, message] = describe(error.code, options);
    const body = JSON.stringify(errorBody(code, message));
    const head = [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      'Content-Type: application/json; charset=utf-8',
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
    ];
    if (socket.writable) socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
    socket.destroy(error);
  };
}
