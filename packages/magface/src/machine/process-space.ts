/** Where a process's number means something. */
import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';

let known: Promise<string> | undefined;

/** @returns one text for all processes that can see each other's numbers: those of one container since one boot */
export function processSpace(): Promise<string> {
  known ??= Promise.all([readFile('/proc/sys/kernel/random/boot_id', 'utf8'), readlink('/proc/self/ns/pid')]).then(
    ([boot, space]) => `${boot.trim()} ${space}`,
    () => hostname(), // no Linux, and no containers that count their processes anew
  );
  return known;
}
