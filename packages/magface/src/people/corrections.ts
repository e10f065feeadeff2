/** What a user says about faces, kept for good: names, "these two are one", "not this person". */
import { ConfigError } from '../errors.ts';

/** Two faces by id. */
export type FacePair = readonly [a: string, b: string];

/** A user's words, which outweigh every similarity. Faces that are not in the library any more may stand in them. */
export interface Corrections {
  /** A face and its person's name. Faces of one name are one person, faces of two names are two. @default none */
  readonly names?: readonly (readonly [face: string, name: string])[];
  /** Faces of one person. @default none */
  readonly joined?: readonly FacePair[];
  /** Faces of two people. @default none */
  readonly apart?: readonly FacePair[];
}

/** Corrections by the sets of faces that they join. */
export interface Rules {
  /** @returns a number that faces of one person share; the face's own otherwise undefined */
  setOf(face: string): string;
  nameOf(face: string): string | undefined;
  /** Sets that must stay apart from the face's set. */
  apartFrom(face: string): ReadonlySet<string>;
}

/**
 * @throws {ConfigError} if corrections contradict each other: the message names two faces
 */
export function readCorrections({ names = [], joined = [], apart = [] }: Corrections): Rules {
  const parents = new Map<string, string>();
  const setOf = (face: string): string => {
    let root = face;
    for (let next = parents.get(root); next !== undefined; next = parents.get(root)) root = next;
    if (root !== face) parents.set(face, root);
    return root;
  };
  /** The least id stands for all, so that the order of corrections does not matter. */
  const join = (a: string, b: string): void => {
    const [low, high] = [setOf(a), setOf(b)].sort() as [string, string];
    if (low !== high) parents.set(high, low);
  };
  const firstOf = new Map<string, string>();
  for (const [face, name] of names) {
    if (firstOf.has(name)) join(firstOf.get(name)!, face);
    else firstOf.set(name, face);
  }
  for (const [a, b] of joined) join(a, b);

  const nameOfSet = new Map<string, string>();
  for (const [name, face] of firstOf) {
    const other = nameOfSet.get(setOf(face));
    if (other !== undefined) throw contradiction(`${other} and ${name} to be two people`, 'a correction joins them');
    nameOfSet.set(setOf(face), name);
  }
  const apartOf = new Map<string, Set<string>>();
  const separate = (a: string, b: string): void => {
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const)
      apartOf.set(from, (apartOf.get(from) ?? new Set()).add(to));
  };
  for (const [a, b] of apart) {
    if (setOf(a) === setOf(b))
      throw contradiction(`faces ${a} and ${b} to be two people`, 'other corrections join them');
    separate(setOf(a), setOf(b));
  }
  const named = [...nameOfSet.keys()];
  return {
    setOf,
    nameOf: (face) => nameOfSet.get(setOf(face)),
    apartFrom: (face) => {
      const set = setOf(face);
      const others = nameOfSet.has(set) ? named.filter((other) => other !== set) : [];
      return new Set([...(apartOf.get(set) ?? []), ...others]);
    },
  };
}

const contradiction = (expected: string, found: string): ConfigError =>
  new ConfigError('corrections', { expected, problem: found, remedy: 'take one of the corrections back' });
