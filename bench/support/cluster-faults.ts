/** Mistakes of a clustering of known people. */

/** Clusters of several people count once less than their people; a person in several clusters is split. */
export function faults(
  clusters: ArrayLike<number>,
  people: ArrayLike<number>,
): { wrongMerges: number; peopleSplit: number } {
  const [inside, places] = [new Map<number, Set<number>>(), new Map<number, Set<number>>()];
  const add = (to: Map<number, Set<number>>, key: number, value: number): void => {
    const known = to.get(key);
    if (known === undefined) to.set(key, new Set([value]));
    else known.add(value);
  };
  for (let i = 0; i < clusters.length; i++) {
    add(inside, clusters[i]!, people[i]!);
    add(places, people[i]!, clusters[i]!);
  }
  return {
    wrongMerges: [...inside.values()].reduce((sum, { size }) => sum + size - 1, 0),
    peopleSplit: [...places.values()].filter(({ size }) => size > 1).length,
  };
}
