import { expect, test } from 'vitest';
import { SkipCounter } from '../../../src/train/loop/skipped-steps.ts';

const bad = { reason: 'Expected finite values but the loss is NaN.', sample: 1 };
const where = {
  samples: [
    { path: 'a.jpg', label: 0 },
    { path: 'b.jpg', label: 1 },
  ],
  checkpoint: 'run/00001.safetensors',
};

test('ten steps in a row end a run, ten in total do not; each is reported with its sample', () => {
  const notes: string[] = [];
  const skips = new SkipCounter(3, (line) => notes.push(line));
  for (let step = 1; step <= 40; step++) skips.add(step, step % 10 === 0 ? undefined : bad, where);
  expect(skips.total).toBe(39);
  expect(notes[0]).toBe('Step 1 is skipped. Expected finite values but the loss is NaN. The sample is b.jpg.');
  for (let step = 41; step <= 49; step++) skips.add(step, bad, where);
  expect(() => skips.add(50, bad, where)).toThrow(
    'Expected finite losses but 10 steps in a row had none: lower --lr or --scale, and continue from run/00001.safetensors.',
  );
});
