/** A session that can be released during a run and repeatedly. */
import { MagfaceError } from '../errors.ts';
import type { Session } from './session.ts';

/** The error of calls after disposal. */
export const disposed = (): MagfaceError =>
  new MagfaceError('disposed', 'Expected a MagFace that is open but it was disposed: load it anew.');

/**
 * @returns the session; release waits for the current run and refuses others
 * @throws {MagfaceError} `disposed` from `run`
 */
export function closable(session: Session): Session {
  let released: Promise<void> | undefined;
  const running = new Set<Promise<unknown>>();
  const release = async (): Promise<void> => {
    await Promise.allSettled(running);
    await session.release();
  };
  return {
    inputNames: session.inputNames,
    outputNames: session.outputNames,
    run: async (feeds, fetches) => {
      if (released !== undefined) throw disposed();
      const run = session.run(feeds, fetches);
      running.add(run);
      try {
        return await run;
      } finally {
        running.delete(run);
      }
    },
    release: () => {
      released ??= release();
      return released;
    },
  };
}
