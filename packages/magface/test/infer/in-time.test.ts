import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { idle, inTime } from '../../src/infer/in-time.ts';

async function collected<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

test('passes on the items of a fast source unchanged', async () => {
  expect(await collected(inTime([1, 2, 3], undefined))).toEqual([1, 2, 3]);
});

test('reports idle once for each item of a slow source', async () => {
  const slow = async function* (): AsyncGenerator<number> {
    yield 1;
    await wait(150);
    yield 2;
  };
  expect(await collected(inTime(slow(), undefined))).toEqual([1, idle, 2]);
});

test('stops when aborted while the source waits', async () => {
  const stuck = async function* (): AsyncGenerator<number> {
    yield 1;
    await new Promise(() => undefined);
  };
  const stop = new AbortController();
  const seen: (number | typeof idle)[] = [];
  const reading = (async () => {
    for await (const item of inTime(stuck(), stop.signal)) {
      seen.push(item);
      if (item === idle) stop.abort(new Error('enough'));
    }
  })();
  await expect(reading).rejects.toThrow('enough');
  expect(seen).toEqual([1, idle]);
});

test('closes a source when the consumer stops early, and fails with a failing source', async () => {
  let closed = false;
  const source = async function* (): AsyncGenerator<number> {
    try {
      yield 1;
      yield 2;
    } finally {
      closed = true;
    }
  };
  for await (const _ of inTime(source(), undefined)) break;
  expect(closed).toBe(true);
  const broken = async function* (): AsyncGenerator<number> {
    yield 1;
    throw new Error('no more');
  };
  await expect(collected(inTime(broken(), undefined))).rejects.toThrow('no more');
});
