/** Naming, answering and undoing, on faces in the plane. */
import { type AnalyzedFace, groupPeople, type LibraryFace, type PeopleOptions } from 'magface/browser';
import { beforeEach, expect, test, vi } from 'vitest';
import type { Photo } from '../../src/album/photo.ts';
import { photos } from '../../src/album/photo-set.ts';
import {
  corrections,
  forgetPeople,
  grouping,
  join,
  name,
  part,
  partFrom,
  personOf,
  restorePeople,
  steps,
  undo,
} from '../../src/people/people-set.ts';

const thresholds = vi.hoisted(() => [
  { fmr: 0.01, threshold: 0.3 },
  { fmr: 0.0001, threshold: 0.5 },
]);
vi.mock('../../src/library.ts', () => ({
  library: { value: { kind: 'ready', magface: { model: { contract: { thresholds } } } } },
  openLibrary: vi.fn(),
}));
vi.mock('../../src/shared/pictures.ts', () => ({ previewOf: vi.fn() }));
vi.mock('../../src/people/group-faces.ts', () => ({
  groupFaces: async (faces: LibraryFace[], options: PeopleOptions) => groupPeople(faces, options),
}));
const settings = vi.hoisted(() => new Map<string, unknown>());
vi.mock('../../src/album/store.ts', () => ({
  storedSetting: async (key: string) => settings.get(key),
  storeSetting: async (key: string, value: unknown) => void settings.set(key, value),
}));

/** A photo of one face, at an angle in degrees. */
const photo = (id: string, degrees: number): Photo => {
  const angle = (degrees * Math.PI) / 180;
  const length = 2 - id.charCodeAt(0) / 100; // a is the best shot
  const embedding = Float32Array.of(length * Math.cos(angle), length * Math.sin(angle));
  const face = { embedding, quality: 60 } as unknown as AnalyzedFace;
  const faces = [{ id: `${id}#1`, number: 1, photo: id, name: id, face }];
  return { id, name: id, file: new File([], id), state: 'seen', preview: undefined, faces };
};

const shown = (): (string | number)[][] =>
  grouping.value!.people.map((person) => [person.number, ...person.faces.map(({ photo: id }) => id)]);
const settled = () => new Promise((resolve) => setTimeout(resolve));

await restorePeople();
beforeEach(async () => {
  settings.clear();
  forgetPeople();
  photos.value = [photo('a', 0), photo('b', 10), photo('c', 90)];
  await settled();
});

test('groups faces, and keeps the numbers of people as photos come and go', async () => {
  expect(shown()).toEqual([
    [1, 'a', 'b'],
    [2, 'c'],
  ]);
  photos.value = [photo('c', 90), photo('d', 95), photo('e', 85)];
  await settled();
  expect(shown()).toEqual([[2, 'c', 'd', 'e']]);
  expect(personOf.value.get('d#1')?.number).toBe(2);
});

test('two people of one name become one; undo takes the name back', async () => {
  name(grouping.value!.people[0]!, ' Ann ');
  await settled();
  name(grouping.value!.people[1]!, 'Ann');
  await settled();
  expect(shown()).toEqual([[1, 'a', 'b', 'c']]);
  expect(grouping.value!.people[0]!.name).toBe('Ann');
  undo();
  await settled();
  expect(shown()).toHaveLength(2);
  expect(steps.value.map(({ words }) => words)).toEqual(['Person 1 is now called Ann.']);
  name(grouping.value!.people[0]!, '');
  await settled();
  expect(grouping.value!.people[0]!.name).toBeUndefined();
});

test('people who did not change stay the same objects, so that they are not drawn again', async () => {
  photos.value = [...photos.value, photo('d', 180), photo('e', 181)];
  await settled();
  const before = grouping.value!;
  const numbered = (found: typeof before) => new Map(found.people.map((person) => [person.number, person]));
  name(before.people[0]!, 'Ann');
  await settled();
  const [was, is] = [numbered(before), numbered(grouping.value!)];
  expect([...is.keys()].sort()).toEqual([...was.keys()].sort());
  const changed = [...is].filter(([number, person]) => was.get(number) !== person).map(([, person]) => person.name);
  expect(changed).toEqual(['Ann']);
  expect(grouping.value!.unplaced).toBe(before.unplaced);
});

test('answers are kept: one person, two people, not this face', async () => {
  const [ab, c] = grouping.value!.people;
  join(ab!, c!);
  await settled();
  expect(shown()).toEqual([[1, 'a', 'b', 'c']]);
  partFrom(grouping.value!.people[0]!.faces[2]!, grouping.value!.people[0]!);
  await settled();
  expect(shown()).toHaveLength(2);
  part(grouping.value!.people[0]!, grouping.value!.people[1]!);
  expect(settings.get('corrections')).toEqual(corrections.value);
  expect(corrections.value.apart).not.toEqual([]);
});
