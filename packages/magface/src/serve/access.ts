/** Access by key; the time of a check reveals neither the number of keys nor their letters. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { ServiceError } from '../errors.ts';

const digest = (key: string): Buffer => createHash('sha256').update(key).digest();

/**
 * @param keys - allowed; if empty, no key is needed
 * @returns throws ServiceError `unauthorized` if the headers have no valid key
 */
export function keyGuard(keys: readonly string[]): (headers: IncomingHttpHeaders) => void {
  const allowed = keys.map(digest);
  return ({ authorization, 'x-api-key': header }) => {
    if (allowed.length === 0) return;
    const bearer = /^Bearer\s+(\S+)$/i.exec(authorization ?? '')?.[1];
    const given = digest(bearer ?? String(header ?? ''));
    // Compare every key, even after a match.
    const fitting = allowed.reduce((count, key) => count + Number(timingSafeEqual(key, given)), 0);
    if (fitting > 0) return;
    throw new ServiceError('unauthorized', {
      expected: 'a valid API key',
      remedy: 'send it as `Authorization: Bearer KEY` or `X-API-Key: KEY`',
    });
  };
}
