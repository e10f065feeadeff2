import { expect, test } from 'vitest';
import { type LabelledFaces, likenessTo, peopleIn } from '../../../src/eval/data/labelled-faces.ts';
import { findSamePeople, likenessToSumOf } from '../../../src/eval/data/same-people.ts';
import { randomStream } from '../../../src/random.ts';

const dimension = 128;
const random = randomStream(5);
/** Normally distributed, from twelve uniform numbers. */
const normal = (): number => Array.from({ length: 12 }, random).reduce((sum, u) => sum + u, -6);
const direction = (): number[] => {
  const values = Array.from({ length: dimension }, normal);
  const length = Math.hypot(...values);
  return values.map((value) => value / length);
};

/** Faces of people whose cosines to one another are about ρ. */
function facesOf(
  people: readonly { readonly shows: readonly number[]; readonly count: number }[],
  rho: number,
): LabelledFaces {
  const rows = people.flatMap(({ shows, count }, person) =>
    Array.from({ length: count }, () => {
      const noise = direction();
      return { person, values: shows.map((value, d) => Math.sqrt(rho) * value + Math.sqrt(1 - rho) * noise[d]!) };
    }),
  );
  const values = Float32Array.from(rows.flatMap((row) => row.values));
  return {
    features: { values, dimension },
    sets: rows.map(() => 0),
    people: rows.map(({ person }) => person),
  };
}

const thresholds = [
  { fmr: 0.01, threshold: 0.25 },
  { fmr: 0.0001, threshold: 0.42 },
];

test('a face is as like to a sum of k faces as √k ρ / √(1 + (k − 1) ρ)', () => {
  expect(likenessToSumOf(29, { likeness: 0.5, faces: 29 })).toBeCloseTo(0.5, 12);
  expect(likenessToSumOf(7, { likeness: likenessToSumOf(3, { likeness: 0.4, faces: 1 }), faces: 3 })).toBeCloseTo(
    (Math.sqrt(7) * 0.4) / Math.sqrt(1 + 6 * 0.4),
    12,
  );
  const faces = facesOf([{ shows: direction(), count: 41 }], 0.45);
  const [person] = peopleIn(faces);
  const mean = (count: number): number => {
    const [sum] = peopleIn(faces, new Set(person!.faces.slice(count)));
    const others = person!.faces.slice(count);
    return others.reduce((all, face) => all + likenessTo(faces.features, sum!, face), 0) / others.length;
  };
  for (const count of [2, 20])
    expect(likenessToSumOf(count, { likeness: mean(1), faces: 1 })).toBeCloseTo(mean(count), 1);
});

test('finds one face of a person who has thirty elsewhere, and no strangers', () => {
  const [ann, bea] = [direction(), direction()];
  const people = [
    { shows: ann, count: 30 },
    { shows: ann, count: 1 },
    { shows: bea, count: 30 },
    { shows: direction(), count: 1 },
  ];
  const faces = facesOf(people, 0.45);
  expect(findSamePeople(faces, peopleIn(faces), { thresholds }).map((pair) => pair.people)).toEqual([[0, 1]]);
  // Compared with the sum of its own twenty-nine others, a face of Ann is far less like that one face.
  const [first, one] = peopleIn(faces);
  const toOthers = likenessTo(faces.features, first!, 0);
  expect(likenessTo(faces.features, one!, 0) / toOthers).toBeLessThan(0.8);
});
