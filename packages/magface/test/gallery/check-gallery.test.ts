/** What a check of a gallery finds, and the gate that keeps it from being needed. */
import { expect, test } from 'vitest';
import { checkGallery } from '../../src/gallery/check-gallery.ts';
import { expectConsistent } from '../../src/gallery/enrolment-doubt.ts';

const thresholds = [
  { fmr: 0.01, threshold: 0.25 },
  { fmr: 0.0001, threshold: 0.42 },
];
let number = 0;
const face = (embedding: readonly number[], quality = 60) => ({
  face: ++number,
  image: `${number}.jpg`,
  quality,
  embedding: Float32Array.from(embedding),
});

test('names twins, the photo that causes confusions with its gain, and people with one poor photo', async () => {
  number = 0;
  const ann = { person: 'ann', faces: [face([5, 0, 0]), face([5, 0.5, 0]), face([0.5, 5, 0], 22)] };
  const bob = { person: 'bob', faces: [face([0, 5, 0]), face([0, 5, 0.5])] };
  const eve = { person: 'eve', faces: [face([0, 0, 3], 25)] };
  const found = await checkGallery([ann, bob, eve], thresholds);
  expect(found).toMatchObject({ people: 3, faces: 6 });
  expect(found.confusing).toEqual([
    {
      ...{ person: 'ann', face: 3, image: '3.jpg', quality: 22 },
      own: expect.closeTo(0.14907, 4),
      nearest: { person: 'bob', similarity: expect.closeTo(0.9938, 4) },
      // By hand: templates (10.5, 5.5, 0) and (10, 0.5, 0) beside bob's (0, 10, 0.5).
      margin: { now: expect.closeTo(0.44327, 3), without: expect.closeTo(0.94888, 4) },
    },
  ]);
  expect(found.poor).toEqual([{ person: 'eve', face: 6, image: '6.jpg', quality: 25, gain: null }]);
  // Because of that photo, ann and bob are 0.46 alike; in three pairs, 0.1 wrong ones are expected below the loosest threshold.
  expect(found.twins).toEqual([{ people: ['ann', 'bob'], similarity: expect.closeTo(0.46343, 4) }]);
  expect(found.twinThreshold).toBe(0.25);
  const twin = { person: 'anne', faces: [face([4, 0, 0])] };
  expect((await checkGallery([ann, twin], thresholds)).twins).toMatchObject([{ people: ['ann', 'anne'] }]);
  expect(await checkGallery([ann, twin], undefined)).toMatchObject({ twins: [], twinThreshold: null });
  expect(await checkGallery([], thresholds)).toMatchObject({ people: 0, twins: [], confusing: [], poor: [] });
});

const gallery = (own: number | undefined, others: readonly [string, number][]) => ({
  count: async () => ({ people: 100, faces: 300 }),
  search: async () => others.map(([person, similarity]) => ({ person, similarity, faces: 3 })),
  similarityTo: async () => own,
});

test.each([
  ['a new person unlike everybody', undefined, [['bob', 0.4]], undefined],
  ['a new person who is enrolled', undefined, [['bob', 0.6]], 'already_enrolled'],
  [
    'a face like its person',
    0.5,
    [
      ['ann', 0.5],
      ['bob', 0.4],
    ],
    undefined,
  ],
  ['a face unlike its person', 0.1, [['bob', 0.2]], 'differs_from_person'],
  [
    'a face more like somebody else',
    0.4,
    [
      ['bob', 0.6],
      ['ann', 0.4],
    ],
    'differs_from_person',
  ],
  [
    'a face like two people, its own first',
    0.7,
    [
      ['ann', 0.7],
      ['bob', 0.6],
    ],
    undefined,
  ],
] as const)('%s', async (_, own, others, code) => {
  const asked = { person: 'ann', embedding: Float32Array.of(1), image: 'a.jpg', thresholds };
  const outcome = await expectConsistent(gallery(own, others as never), asked).catch((error: unknown) => error);
  if (code === undefined) expect(outcome).toBeUndefined();
  else expect(outcome).toMatchObject({ code, image: 'a.jpg', message: expect.stringContaining('`acceptDoubtful`') });
});

test('without thresholds nothing is doubted', async () => {
  const asked = { person: 'ann', embedding: Float32Array.of(1), image: 'a.jpg' };
  await expect(expectConsistent(gallery(undefined, [['bob', 1]]), asked)).resolves.toBeUndefined();
});
