/** Adds a user's words to the corrections. The newest word counts: what contradicts it is taken back. */
import type { Corrections, FacePair } from './corrections.ts';

/** Corrections without gaps, as they are stored. */
export type AllCorrections = Required<Corrections>;

export const noCorrections: AllCorrections = { names: [], joined: [], apart: [] };

/**
 * Names a person. Another person of that name becomes the same one.
 *
 * @param faces - ids of the person's faces, the best first
 */
export function namePerson(before: AllCorrections, faces: readonly string[], name: string): AllCorrections {
  const others = before.names.filter(([face]) => !faces.includes(face));
  return { ...before, names: [...others, [faces[0]!, name]] };
}

/**
 * "These two are one", with all of these faces: one that joined its person by itself might not resemble both enough to stay. If both
 * have names, the first one's is kept.
 *
 * @param faces - ids of one person's faces, the best first
 * @param others - those of the other person
 */
export function joinPeople(
  before: AllCorrections,
  faces: readonly string[],
  others: readonly string[],
): AllCorrections {
  const isNamed = before.names.some(([face]) => faces.includes(face));
  return {
    names: isNamed ? before.names.filter(([face]) => !others.includes(face)) : before.names,
    joined: [...before.joined, ...[...faces.slice(1), ...others].map((other) => [faces[0]!, other] as const)],
    apart: withoutBetween(before.apart, faces, others),
  };
}

/**
 * "These are two people".
 *
 * @param faces - ids of one person's faces, the best first
 * @param others - those of the other person
 */
export function partPeople(
  before: AllCorrections,
  faces: readonly string[],
  others: readonly string[],
): AllCorrections {
  return {
    ...before,
    joined: withoutBetween(before.joined, faces, others),
    apart: [...before.apart, [faces[0]!, others[0]!]],
  };
}

/**
 * "This face is not that person".
 *
 * @param faces - ids of the person's faces, the best first
 */
export function partFace(before: AllCorrections, face: string, faces: readonly string[]): AllCorrections {
  const others = faces.filter((other) => other !== face);
  if (others.length === 0) return before;
  const named = before.names.find(([other]) => others.includes(other))?.[0];
  const anchors = [...new Set([others[0]!, ...(named === undefined ? [] : [named])])];
  return {
    names: before.names.filter(([other]) => other !== face),
    joined: before.joined.filter((pair) => !pair.includes(face)),
    apart: [...before.apart, ...anchors.map((other) => [face, other] as const)],
  };
}

/** @returns the pairs that do not stand between the two people */
const withoutBetween = (pairs: readonly FacePair[], faces: readonly string[], others: readonly string[]): FacePair[] =>
  pairs.filter(([a, b]) => !(faces.includes(a) && others.includes(b)) && !(faces.includes(b) && others.includes(a)));
