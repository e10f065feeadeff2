/** Who reads a step's value, and how long it is needed. */

/** A step that reads values by name. */
interface Reader {
  readonly reads: readonly string[];
}

/** @returns how often each value is read */
export function countReaders(steps: readonly Reader[]): ReadonlyMap<string, number> {
  const readers = new Map<string, number>();
  for (const name of steps.flatMap(({ reads }) => reads)) readers.set(name, (readers.get(name) ?? 0) + 1);
  return readers;
}

/** @returns for each step, the values that no later step reads */
export function lastReads(steps: readonly Reader[]): readonly (readonly string[])[] {
  const last = new Map(steps.flatMap(({ reads }, i) => reads.map((name) => [name, i] as const)));
  return steps.map(({ reads }, i) => [...new Set(reads)].filter((name) => last.get(name) === i));
}
