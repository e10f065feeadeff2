/** Rules for a person's name. */

/** Longest name, in UTF-16 units: it must fit into an address. */
export const longestName = 200;

/** @returns the fault of a name, to follow "Expected a person's name but ..."; undefined if valid */
export function nameFault(name: string): string | undefined {
  if (name.trim() === '') return 'it is empty';
  if (name.length > longestName) return `it has ${name.length} characters, more than ${longestName}`;
  if (name.includes('\0')) return 'it has a NUL character'; // the only one that PostgreSQL rejects
  return undefined;
}
