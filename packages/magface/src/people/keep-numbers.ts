/** Keeps the numbers of people when a library is grouped again. */

/**
 * Each person keeps the number that most of its faces had; of two claims the one of more faces wins. New people get numbers that
 * were never used.
 *
 * @param people - the ids of the faces of each person
 * @param before - the number of each face's person, by the face's id
 * @param used - the highest number so far
 * @returns a number for each person, from 1
 */
export function keepNumbers(
  people: readonly (readonly string[])[],
  before: ReadonlyMap<string, number>,
  used: number = [...before.values()].reduce((most, number) => Math.max(most, number), 0),
): number[] {
  const claims = people.flatMap((faces, person) => {
    const counts = new Map<number, number>();
    for (const face of faces) {
      const number = before.get(face);
      if (number !== undefined) counts.set(number, (counts.get(number) ?? 0) + 1);
    }
    return [...counts].map(([number, shared]) => ({ person, number, shared }));
  });
  claims.sort((a, b) => b.shared - a.shared || a.number - b.number || a.person - b.person);
  const numbers = new Array<number | undefined>(people.length).fill(undefined);
  const taken = new Set<number>();
  for (const { person, number } of claims) {
    if (numbers[person] !== undefined || taken.has(number)) continue;
    numbers[person] = number;
    taken.add(number);
  }
  let next = used;
  return numbers.map((number) => number ?? ++next);
}
