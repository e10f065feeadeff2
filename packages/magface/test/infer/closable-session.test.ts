import { Tensor } from 'onnxruntime-common';
import { expect, test } from 'vitest';
import { closable } from '../../src/infer/session.ts';

test('releases after the pending run, rejects later runs, and releases only once', async () => {
  const events: string[] = [];
  let finish = (): void => {};
  const session = closable({
    inputNames: ['x'],
    outputNames: ['y'],
    run: async (feeds) => {
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      events.push('run');
      return { y: feeds['x']! };
    },
    release: async () => void events.push('released'),
  });
  const x = new Tensor('float32', Float32Array.of(1), [1]);
  const run = session.run({ x }, ['y']);
  const [first, second] = [session.release(), session.release()];
  await expect(session.run({ x }, ['y'])).rejects.toMatchObject({ code: 'disposed' });
  finish();
  expect(await run).toEqual({ y: x });
  await Promise.all([first, second]);
  expect(events).toEqual(['run', 'released']);
});
