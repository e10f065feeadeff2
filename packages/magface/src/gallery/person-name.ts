/** What a person may be called in a gallery. */

/** Longest name, in UTF-16 units: an address of the service has to hold it. */
export const longestName = 200;

/** @returns what is wrong with the name, to stand behind "Expected a person's name but ..."; undefined when nothing is */
export function nameFault(name: string): string | undefined {
  if (name.trim() === '') return 'it is empty';
  if (name.length > longestName) return `it has ${name.length} characters, more than ${longestName}`;
  if (name.includes('\0')) return 'it has a NUL character'; // PostgreSQL keeps any character but this one
  return undefined;
}
