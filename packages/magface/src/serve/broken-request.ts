/** Answers invalid HTTP, which Node's parser rejects before a route sees it. */
import { maxHeaderSize, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { errorReply, ServiceError } from '../errors.ts';
import type { ServeOptions } from './options.ts';

type Answer = readonly [status: number, error: ServiceError];

function answerTo(code: string | undefined, { timeout }: Pick<ServeOptions, 'timeout'>): Answer {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    const fault = {
      expected: `the whole request within ${timeout} s`,
      problem: 'it did not arrive',
      remedy: 'send it faster, or send less',
    };
    return [408, new ServiceError('timed_out', fault)];
  }
  if (code === 'HPE_HEADER_OVERFLOW') {
    const fault = {
      expected: `headers of at most ${maxHeaderSize} bytes`,
      received: 'more',
      remedy: 'send fewer or shorter ones',
    };
    return [431, new ServiceError('request_too_large', fault)];
  }
  const fault = { expected: 'an HTTP request', received: 'something else', remedy: 'check the client' };
  return [400, new ServiceError('wrong_request', fault)];
}

/** @returns Fastify's handler of such connections: sends the usual error body, then closes */
export function brokenRequestHandler(
  options: Pick<ServeOptions, 'timeout'>,
): (error: NodeJS.ErrnoException, socket: Socket) => void {
  return (error, socket) => {
    if (error.code === 'ECONNRESET' || socket.destroyed) return;
    const [status, answer] = answerTo(error.code, options);
    const body = JSON.stringify({ error: errorReply(answer) });
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
