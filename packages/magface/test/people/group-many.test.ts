import { expect, test } from 'vitest';
import { groupPeople, type LibraryFace } from '../../src/people/group-people.ts';
import { groupManyPeople } from '../../src/people/node/group-many.ts';
import { errorOfProducts, subspaceOf } from '../../src/people/node/subspace.ts';
import { randomStream } from '../../src/random.ts';
import { product, unitRows } from '../../src/row-products.ts';

const thresholds = [
  { fmr: 0.01, threshold: 0.25 },
  { fmr: 0.0001, threshold: 0.4 },
];

/** 1,300 faces in two blocks, of 300 people in 64 dimensions or in as many of 256. */
function madeUp(dimension = 64): LibraryFace[] {
  const random = randomStream(7);
  const gaussian = (): number => random() + random() + random() + random() - 2;
  const centres = Array.from({ length: 300 }, () => Float32Array.from({ length: 64 }, gaussian));
  return Array.from({ length: 1300 }, (_, k) => {
    const embedding = Float32Array.from(centres[Math.floor(random() * 300)]!, (value) => value + 0.8 * gaussian());
    const wide = new Float32Array(dimension);
    for (let d = 0; d < 64; d++) wide[(d * dimension) / 64] = embedding[d]!;
    return { id: `f${k}`, photo: `p${Math.floor(random() * 900)}`, embedding: wide, quality: 100 * random() };
  });
}

test('groups as groupPeople does', async () => {
  const faces = madeUp();
  const done: number[] = [];
  const many = await groupManyPeople(faces, { thresholds, threads: 1, onProgress: (share) => done.push(share) });
  const one = groupPeople(faces, { thresholds });
  expect(many).toEqual(one);
  expect(one.people.filter((person) => person.faces.length > 1).length).toBeGreaterThan(150);
  expect(done.slice(0, 3)).toEqual([1 / 3, 2 / 3, 1]);
  expect(await groupManyPeople(faces.slice(0, 50), { thresholds })).toEqual(
    groupPeople(faces.slice(0, 50), { thresholds }),
  );
});

test('groups embeddings of a subspace as groupPeople does', async () => {
  const faces = madeUp(256);
  expect(await groupManyPeople(faces, { thresholds, threads: 1 })).toEqual(groupPeople(faces, { thresholds }));
});

test('finds the subspace of most rows, and by how much others are missed', () => {
  const rows = unitRows(madeUp(256).map(({ embedding }) => embedding));
  const directions = subspaceOf(rows, 256)!;
  expect(directions).toHaveLength(64 * 256);
  const coordinates = new Float32Array(1300 * 64);
  for (let i = 0; i < 1300; i++)
    for (let k = 0; k < 64; k++) coordinates[i * 64 + k] = product(rows, i * 256, directions, k * 256, 256);
  expect(errorOfProducts(rows, coordinates, 256)).toBeLessThan(1e-5);
  coordinates.fill(0, 64, 128);
  expect(errorOfProducts(rows, coordinates, 256)).toBeCloseTo(1, 5);
  expect(subspaceOf(unitRows(madeUp().map(({ embedding }) => embedding)), 64)).toBeUndefined();
});
