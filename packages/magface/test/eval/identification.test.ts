import { expect, test } from 'vitest';
import { identify } from '../../src/eval/identification.ts';
import type { Templates } from '../../src/eval/templates.ts';

/** Template n is a unit vector at so many degrees. */
const templatesAt = (degrees: readonly number[]): Templates => {
  const vectors = new Float32Array(new SharedArrayBuffer(degrees.length * 8));
  vectors.set(degrees.flatMap((angle) => [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)]));
  return { ids: Int32Array.from(degrees.keys()), vectors, dimension: 2 };
};
const lists = (pairs: readonly (readonly [template: number, subject: number])[]) => ({
  template: Int32Array.from(pairs, ([template]) => template),
  subject: Int32Array.from(pairs, ([, subject]) => subject),
});

// Gallery: subjects 10 (two templates, at 0 and 90), 20 (at 30), 30 (at 60).
const templates = templatesAt([0, 90, 30, 60, 5, 50, 32, 100, 20, 75]);
const gallery = lists([
  [0, 10],
  [1, 10],
  [2, 20],
  [3, 30],
]);

test('CMC counts a subject by its best template; TPIR takes its threshold from non-mated probes', async () => {
  const probes = lists([
    [4, 10], // at 5: first, 5 degrees
    [5, 20], // at 50: 30 is nearer (10 degrees) than 20 (20 degrees): second
    [6, 20], // at 32: first, 2 degrees
    [7, 10], // at 100: first, 10 degrees
    [8, 99], // not in the gallery: its nearest is 10 degrees away
    [9, 98], // not in the gallery: its nearest is 15 degrees away
  ]);
  expect(await identify(templates, gallery, { probes, ranks: [1, 2], fpir: [0.1, 0.5] })).toEqual({
    gallery: 3,
    matedProbes: 4,
    nonMatedProbes: 2,
    cmc: { '1': 0.75, '2': 1 },
    // At FPIR 0.5 one of two may pass: the threshold lies above 15 degrees' cosine, and all three firsts pass it.
    tpirAtFpir: { '0.1': null, '0.5': 0.75 },
  });
});

test('counts ties against the probe', async () => {
  const probes = lists([[2, 20]]);
  const twins = templatesAt([0, 90, 30, 30]);
  const { cmc } = await identify(
    twins,
    lists([
      [2, 20],
      [3, 30],
    ]),
    { probes },
  );
  expect(cmc).toEqual({ '1': 0, '5': 1, '10': 1 });
});

test('rejects lists that do not belong together', async () => {
  await expect(identify(templates, gallery, { probes: lists([[4, 77]]) })).rejects.toThrow('received none');
  await expect(identify(templates, gallery, { probes: lists([[44, 10]]) })).rejects.toThrow('has template 44');
});
