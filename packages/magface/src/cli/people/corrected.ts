/** The corrections of flags. */
import { resolve } from 'node:path';
import { ConfigError } from '../../errors.ts';
import { nameFault } from '../../gallery/person-name.ts';
import { type AllCorrections, joinPeople, namePerson, partFace, partPeople } from '../../people/correct.ts';
import { readCorrections } from '../../people/corrections.ts';
import type { Library, LibraryPeople } from '../../people/node/library.ts';
import { faceId } from './sort-library.ts';

export interface CorrectionFlags {
  /** `3=Ann Lee` */
  readonly name?: readonly string[] | undefined;
  /** `3,7` */
  readonly join?: readonly string[] | undefined;
  /** `3,7` */
  readonly apart?: readonly string[] | undefined;
  /** `3=photo.jpg#1` */
  readonly not?: readonly string[] | undefined;
}

type Known = Pick<Library, 'photos' | 'people'>;

/**
 * @returns what to save
 * @throws {ConfigError} if a person or face is unknown
 */
export function corrected(
  library: Known,
  { name = [], join = [], apart = [], not = [] }: CorrectionFlags,
): LibraryPeople {
  let corrections: AllCorrections = library.people.corrections;
  for (const words of not) {
    const [person, place] = halves(words, '=');
    const faces = facesOf(library, person, 'not');
    corrections = partFace(corrections, faceOf(library, place, faces), faces);
  }
  for (const words of join) {
    const [a, b] = halves(words, ',');
    corrections = joinPeople(corrections, facesOf(library, a, 'join'), facesOf(library, b, 'join'));
  }
  for (const words of apart) {
    const [a, b] = halves(words, ',');
    corrections = partPeople(corrections, facesOf(library, a, 'apart'), facesOf(library, b, 'apart'));
  }
  for (const words of name) {
    const [person, given] = halves(words, '=');
    const fault = nameFault(given);
    if (fault !== undefined)
      throw new ConfigError('name', { expected: "a person's name", problem: fault, remedy: 'say who it is' });
    const faces = facesOf(library, person, 'name');
    const same = namedFaces(library, given);
    corrections = same.length > 0 ? joinPeople(corrections, same, faces) : namePerson(corrections, faces, given);
  }
  readCorrections(corrections); // throws rather than save what contradicts itself
  return { ...library.people, corrections };
}

function halves(words: string, sign: string): [string, string] {
  const at = words.indexOf(sign);
  return at < 0 ? [words.trim(), ''] : [words.slice(0, at).trim(), words.slice(at + 1).trim()];
}

/** @param person - a number of the last run, or a name */
function facesOf(library: Known, person: string, key: string): string[] {
  const named = namedFaces(library, person);
  const faces = named.length > 0 ? named : numberedFaces(library, Number(person));
  if (faces.length > 0) return faces;
  throw new ConfigError(key, {
    expected: 'a person of the last run',
    received: `"${person}"`,
    remedy: '`magface people --state DIR` lists them by number',
  });
}

/** @returns the faces of the person of that name; empty if there is none */
function namedFaces(library: Known, name: string): string[] {
  const { numbers, corrections } = library.people;
  const face = corrections.names.find(([, one]) => one === name)?.[0];
  return face === undefined ? [] : numberedFaces(library, numbers[face]);
}

const numberedFaces = ({ people: { numbers } }: Known, number: number | undefined): string[] =>
  Object.keys(numbers).filter((face) => numbers[face] === number);

/** @param place - a photo's path, with `#` and the face's number unless it is 0 */
function faceOf({ photos }: Known, place: string, among: readonly string[]): string {
  const [, path = place, face = '0'] = /^(.*)#(\d+)$/.exec(place) ?? [];
  const photo = [...photos.values()].find((one) => one.path === resolve(path));
  const id = photo === undefined ? undefined : faceId(photo, Number(face));
  if (id !== undefined && among.includes(id)) return id;
  throw new ConfigError('not', {
    expected: 'a face of that person',
    received: `"${place}"`,
    remedy: '--json lists its faces',
  });
}
