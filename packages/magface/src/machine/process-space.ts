/** Identifies the space in which a process number is unique. */
import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';

let known: Promise<string> | undefined;

/** @returns the same text for all processes of one container since one boot */
export function processSpace(): Promise<string> {
  known ??= Promise.all([readFile('/proc/sys/kernel/random/boot_id', 'utf8'), readlink('/proc/self/ns/pid')]).then(
    ([boot, space]) => `${boot.trim()} ${space}`,
    () => hostname(), // not Linux, so no containers with process numbers of their own
  );
  return known;
}
