/** Limits the bytes being received at once, so that slow or large uploads do not fill the memory. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ServiceError } from '../errors.ts';
import type { ServeOptions } from './options.ts';

/** Overhead of a form around images. */
const formBytes = 64 * 1024;

/** @returns counts a request until it ends; throws ServiceError if it is too large or there is no room */
export function receivingGuard({
  maxBytes,
  maxImages,
  maxBytesInFlight,
}: Pick<ServeOptions, 'maxBytes' | 'maxImages' | 'maxBytesInFlight'>): (
  request: IncomingMessage,
  response: ServerResponse,
) => void {
  const largest = maxBytes * maxImages + formBytes;
  let inFlight = 0;
  return (request, response) => {
    const length = request.headers['content-length'];
    // A body without a length may have any length.
    const bytes = length === undefined ? (request.headers['transfer-encoding'] ? largest : 0) : Number(length);
    if (bytes > largest) {
      throw new ServiceError('request_too_large', {
        expected: `a request of at most ${largest} bytes`,
        problem: `it has ${bytes}`,
        remedy: 'split it',
      });
    }
    if (bytes > 0 && inFlight > 0 && inFlight + bytes > maxBytesInFlight) {
      throw new ServiceError(
        'busy',
        { expected: 'room for the request', problem: 'too many uploads are in progress', remedy: 'try again' },
        { retryAfter: 2 },
      );
    }
    inFlight += bytes;
    let counted = true;
    const countOut = (): void => {
      if (counted) inFlight -= bytes;
      counted = false;
    };
    request.once('close', countOut);
    response.once('close', countOut); // a request refused before its end is never closed
  };
}
