/** Rates and times count what is under way, not what came before it. */
import { expect, test } from 'vitest';
import { startProgress } from '../../src/cli/progress.ts';

function lines(total: number, updates: readonly (readonly [time: number, done: number])[]): string[] {
  const told: string[] = [];
  const stream = { write: (text: string) => told.push(text) } as unknown as NodeJS.WritableStream;
  let time = 0;
  const progress = startProgress(stream, { total, unit: 'images', interval: 0, now: () => time });
  for (const [at, done] of updates) {
    time = at;
    progress.update(done);
  }
  return told;
}

test('excludes start-up time from the rate: nine photos at one per second after ten seconds of loading', () => {
  expect(
    lines(9, [
      [10_000, 1],
      [11_000, 2],
      [14_000, 5],
    ]),
  ).toEqual(['1/9 images\n', '2/9 images, 1.0/s, 7 s left\n', '5/9 images, 1.0/s, 4 s left\n']);
});

test('gives no rate for a batch that arrives at once, nor for the items of an earlier run', () => {
  expect(
    lines(1000, [
      [5000, 1],
      [5001, 2],
      [5002, 8],
      [7002, 16],
    ]),
  ).toEqual(['1/1000 images\n', '2/1000 images\n', '8/1000 images\n', '16/1000 images, 7.5/s, 2 min left\n']);
  expect(
    lines(2000, [
      [1000, 1000],
      [11_000, 1010],
    ])[1],
  ).toBe('1010/2000 images, 1.0/s, 17 min left\n');
});
