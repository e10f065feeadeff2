/** Groups a library's faces and numbers its people. */
import { existsSync } from 'node:fs';
import { relative } from 'node:path';
import { textFloats } from '../../format/float-text.ts';
import type { GroupedPeople, Person } from '../../people/group-people.ts';
import { keepNumbers } from '../../people/keep-numbers.ts';
import { groupManyPeople } from '../../people/node/group-many.ts';
import type { Library, LibraryPhoto } from '../../people/node/library.ts';
import { printedQuality } from '../../quality.ts';

/** A face with its photo. */
export interface SortedFace {
  readonly id: string;
  readonly photo: LibraryPhoto;
  /** From 0, the largest first. */
  readonly face: number;
}

export interface NumberedPerson extends Person {
  readonly number: number;
}

export interface SortedLibrary {
  readonly faces: readonly SortedFace[];
  readonly people: readonly NumberedPerson[];
  readonly unplaced: readonly number[];
  readonly grouped: GroupedPeople;
  /** Known photos whose files are gone. */
  readonly gone: number;
}

/** A person in results. */
export interface PersonRecord {
  readonly person: number;
  readonly name: string | null;
  /** The best first. */
  readonly faces: readonly {
    readonly image: string;
    readonly face: number;
    readonly quality: number | null;
    readonly doubtful: boolean;
  }[];
}

/** Unique and lasting: photos are known by their digest. */
export const faceId = (photo: LibraryPhoto, face: number): string => `${photo.digest.slice(0, 32)}#${face}`;

/** Groups the photos that are still there, and saves the numbers of people. */
export async function sortLibrary(library: Library): Promise<SortedLibrary> {
  const photos = [...library.photos.values()].filter(({ path }) => existsSync(path));
  const faces = photos.flatMap((photo) => photo.faces.map((_, face) => ({ id: faceId(photo, face), photo, face })));
  const grouped = await groupManyPeople(
    faces.map(({ id, photo, face }) => ({
      id,
      photo: photo.digest,
      embedding: textFloats(photo.faces[face]!.embedding),
      quality: photo.faces[face]!.quality ?? undefined,
    })),
    { ...library.model, corrections: library.people.corrections },
  );
  const { numbers: before, used } = library.people;
  const ids = grouped.people.map((person) => person.faces.map((i) => faces[i]!.id));
  const numbers = keepNumbers(ids, new Map(Object.entries(before)), used);
  await library.save({
    ...library.people,
    // Faces that are gone keep their numbers, for the day they return.
    numbers: { ...before, ...Object.fromEntries(ids.flatMap((all, k) => all.map((id) => [id, numbers[k]!]))) },
    used: numbers.reduce((most, number) => Math.max(most, number), used),
  });
  const people = grouped.people.map((person, k) => ({ ...person, number: numbers[k]! }));
  return { faces, people, unplaced: grouped.unplaced, grouped, gone: library.photos.size - photos.length };
}

/** The name of a photo as a user would type it. */
export const imageName = ({ path }: LibraryPhoto): string => relative('', path);

export function peopleRecord({ faces }: SortedLibrary, person: NumberedPerson): PersonRecord {
  const doubtful = new Set(person.doubtful);
  return {
    person: person.number,
    name: person.name ?? null,
    faces: person.faces.map((i) => {
      const { photo, face } = faces[i]!;
      return {
        image: imageName(photo),
        face,
        quality: printedQuality(photo.faces[face]!.quality),
        doubtful: doubtful.has(i),
      };
    }),
  };
}
