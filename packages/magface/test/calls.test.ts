/** The protocol of threads, with both sides in this thread. */
import { expect, test } from 'vitest';
import { type Answering, answerer, Calls } from '../src/calls.ts';
import { FormatError, MagfaceError, ServiceError } from '../src/errors.ts';

/** Both sides, with messages copied as between threads. */
function connect<Request, Answer, Progress = never>(answering: Answering<Request, Answer, Progress>) {
  const receive = answerer<Request, Answer, Progress>(answering, (message) =>
    queueMicrotask(() => calls.receive(structuredClone(message))),
  );
  const calls: Calls<Request, Answer, Progress> = new Calls((message) => void receive(structuredClone(message)));
  return calls;
}

test('matches answers to calls in any order, after their progress', async () => {
  const seen: number[] = [];
  const calls = connect<number, number, number>(async (ms, { onProgress }) => {
    await new Promise((resolve) => setTimeout(resolve, ms));
    onProgress(ms);
    return { answer: 2 * ms };
  });
  const answers = [20, 5, 1].map((ms) => calls.call(ms, { onProgress: (at) => seen.push(at) }));
  expect(calls.pending).toBe(3);
  expect(await Promise.all(answers)).toEqual([40, 10, 2]);
  expect(seen).toEqual([1, 5, 20]);
  expect(calls.pending).toBe(0);
});

test('gives errors in their own class with their fields, and a defect with its stack', async () => {
  const errors = [
    new FormatError('a.npy', { expected: 'more', remedy: 'copy it' }, { offset: 3 }),
    new ServiceError('busy', { expected: 'room', remedy: 'wait' }, { retryAfter: 7 }),
    new TypeError('a defect'),
  ];
  const calls = connect<number, never>(async (at) => {
    throw errors[at];
  });
  await expect(calls.call(0)).rejects.toBeInstanceOf(FormatError);
  await expect(calls.call(0)).rejects.toMatchObject({
    ...errors[0],
    message: 'a.npy (at byte 3): Expected more: copy it.',
  });
  await expect(calls.call(1)).rejects.toMatchObject({ name: 'ServiceError', code: 'busy', retryAfter: 7 });
  const defect = await calls.call(2).catch((error: unknown) => error);
  expect(defect).not.toBeInstanceOf(MagfaceError);
  expect(defect).toMatchObject({ message: 'a defect', stack: errors[2]!.stack });
});

test('lets the caller go on after an abort while the thread still works', async () => {
  const calls = connect<string, string>(
    (_, { signal }) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  );
  const abort = new AbortController();
  const answer = calls.call('long', { signal: abort.signal });
  abort.abort(new Error('enough'));
  expect(calls.pending).toBe(1);
  await expect(answer).rejects.toThrow('enough');
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(calls.pending).toBe(0);
  await expect(calls.call('later', { signal: abort.signal })).rejects.toThrow('enough');
});

test('rejects pending and later calls once ended, and a request that cannot be sent', async () => {
  const calls = connect<unknown, never>(() => new Promise(() => undefined));
  await expect(calls.call(() => undefined)).rejects.toMatchObject({ name: 'DataCloneError' });
  expect(calls.pending).toBe(0);
  const answer = calls.call('long');
  calls.end(new Error('closed'));
  calls.end(new Error('again'));
  await expect(answer).rejects.toThrow('closed');
  await expect(calls.call('later')).rejects.toThrow('closed');
});
