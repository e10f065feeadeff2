/** Which face may be enrolled, and what a search says of a face. */
import { expect, test } from 'vitest';
import { enrollable } from '../../src/gallery/enrolment-gate.ts';
import { identify } from '../../src/gallery/identify.ts';

const gallery = {
  search: async (_: Float32Array, { limit = 5 } = {}) =>
    [
      { person: 'ann', similarity: 0.6, faces: 2 },
      { person: 'bea', similarity: 0.3, faces: 1 },
    ].slice(0, limit),
  count: async () => ({ people: 2000, faces: 3000 }),
};
const thresholds = [
  { fmr: 0.01, threshold: 0.2 },
  { fmr: 0.0001, threshold: 0.4 },
];
const embedding = Float32Array.of(1, 0);

test('decides each match at a measured rate that is strict enough', async () => {
  expect(await identify(gallery, embedding, { thresholds, fmr: 0.001 })).toEqual({
    threshold: 0.4,
    fmr: 0.0001,
    people: 2000,
    expectedFalseHits: 0.2,
    named: null,
    margin: expect.closeTo(0.3, 10),
    openSet: null,
    matches: [
      { person: 'ann', similarity: 0.6, faces: 2, same: true },
      { person: 'bea', similarity: 0.3, faces: 1, same: false },
    ],
  });
  const loose = await identify(gallery, embedding, { thresholds, fmr: 0.01, limit: 1 });
  expect(loose).toMatchObject({ fmr: 0.01, expectedFalseHits: 20, matches: [{ person: 'ann', same: true }] });
});

test('names a person at the threshold for everybody at once, or nobody', async () => {
  const openSet = { threshold: 0.55, fpir: 0.01, interval: [0.005, 0.02], source: 'gallery' } as const;
  const named = await identify(gallery, embedding, { thresholds, openSet, limit: 1 });
  expect(named).toMatchObject({ named: 'ann', openSet, margin: expect.closeTo(0.3, 10) });
  expect(named.matches).toHaveLength(1);
  const unknown = await identify(gallery, embedding, { thresholds, openSet: { ...openSet, threshold: 0.61 } });
  expect(unknown.named).toBeNull();
});

test('decides nothing without thresholds, and rejects a rate that was not measured', async () => {
  const undecided = await identify(gallery, embedding);
  expect(undecided).toMatchObject({ threshold: null, fmr: null, expectedFalseHits: null });
  expect(undecided.matches.map(({ same }) => same)).toEqual([null, null]);
  await expect(identify(gallery, embedding, { thresholds, fmr: 1e-6 })).rejects.toMatchObject({ key: 'fmr' });
});

test('enrols a single good face, or the largest on request', () => {
  const [good, poor] = [
    { quality: 60, reasons: [] },
    { quality: 4, reasons: [{ code: 'blurred', value: 9 } as const] },
  ];
  expect(enrollable([good], { image: 'a.jpg' })).toBe(good);
  expect(enrollable([good, poor], { image: 'a.jpg', largest: true })).toBe(good);
  expect(enrollable([poor], { image: 'a.jpg', minQuality: 4 })).toBe(poor);
  const code = (faces: readonly (typeof good | typeof poor)[], options = {}): unknown => {
    try {
      return enrollable(faces, { image: 'a.jpg', ...options });
    } catch (error) {
      return error;
    }
  };
  expect(code([])).toMatchObject({ code: 'no_face', image: 'a.jpg' });
  expect(code([good, poor])).toMatchObject({
    code: 'several_faces',
    message:
      'Expected one face but a.jpg shows 2: crop the image to the person, or use the largest face with `largest: true`.',
  });
  expect(code([poor])).toMatchObject({ code: 'quality_too_low', message: expect.stringContaining('`minQuality`') });
  const ordinary = { quality: 12, reasons: [] };
  const scale = { centre: 4, width: 0.3, source: 'test' };
  expect(enrollable([ordinary], { image: 'a.jpg', calibration: scale })).toBe(ordinary);
  const fitted = { image: 'a.jpg', calibration: { ...scale, widthBelow: 0.6 } };
  expect(() => enrollable([ordinary], fitted)).toThrow('Expected a face of quality 20 or more');
});
