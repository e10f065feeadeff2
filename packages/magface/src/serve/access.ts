/** Who may ask: keys compared so that neither their number nor their letters show in the time it takes. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { ServiceError } from '../errors.ts';

const digest = (key: string): Buffer => createHash('sha256').update(key).digest();

/**
 * @param keys - allowed; none lets everybody in
 * @returns throws ServiceError `unauthorized` for headers without one of the keys
 */
export function keyGuard(keys: readonly string[]): (headers: IncomingHttpHeaders) => void {
  const allowed = keys.map(digest);
  return ({ authorization, 'x-api-key': header }) => {
    if (allowed.length === 0) return;
    const bearer = /^Bearer\s+(\S+)$/i.exec(authorization ?? '')?.[1];
    const given = digest(bearer ?? String(header ?? ''));
    // Every key is looked at, whether or not one has fitted.
    const fitting = allowed.reduce((count, key) => count + Number(timingSafeEqual(key, given)), 0);
    if (fitting > 0) return;
    const message =
      'Expected an API key that is known here: send it as `Authorization: Bearer KEY` or `X-API-Key: KEY`.';
    throw new ServiceError('unauthorized', message);
  };
}
