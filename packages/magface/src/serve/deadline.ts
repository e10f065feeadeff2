/**
 * Time limit for an answer. (Fastify's own `request.signal` and `handlerTimeout` end with the request's body,
 * long before the answer.)
 */
import { setMaxListeners } from 'node:events';
import type { FastifyReply } from 'fastify';
import { ServiceError } from '../errors.ts';

/** @returns a signal that aborts after `seconds` (ServiceError `timed_out`) or if the client leaves */
export function deadline(reply: FastifyReply, seconds: number): AbortSignal {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal); // per image
  const timer = setTimeout(
    () =>
      controller.abort(
        new ServiceError('timed_out', {
          expected: `an answer within ${seconds} s`,
          problem: 'it took longer',
          remedy: 'try again later, or send less',
        }),
      ),
    1000 * seconds,
  );
  reply.raw.once('close', () => {
    clearTimeout(timer);
    if (!reply.raw.writableFinished) controller.abort();
  });
  return controller.signal;
}
