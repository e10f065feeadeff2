/** Files of `test/fixtures`, where large ones are kept as `.gz`. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

const folder = fileURLToPath(new URL('../fixtures/', import.meta.url));
const unpacked = fileURLToPath(new URL('../../../../node_modules/.cache/magface-fixtures/', import.meta.url));

export function fixtureBytes(path: string): Buffer {
  const plain = join(folder, path);
  return existsSync(plain) ? readFileSync(plain) : gunzipSync(readFileSync(`${plain}.gz`));
}

export const fixtureText = (path: string): string => fixtureBytes(path).toString();

export const fixtureJson = <T>(path: string): T => JSON.parse(fixtureText(path)) as T;

/** @returns the path of the file, or of an unpacked copy where it is kept as `.gz` */
export function fixtureFile(path: string): string {
  if (existsSync(join(folder, path))) return join(folder, path);
  const [target, bytes] = [join(unpacked, path), fixtureBytes(path)];
  if (existsSync(target) && readFileSync(target).equals(bytes)) return target;
  mkdirSync(dirname(target), { recursive: true });
  // Two test processes may unpack at once: each writes its own file, and a rename replaces the target in one step.
  writeFileSync(`${target}.${process.pid}`, bytes);
  renameSync(`${target}.${process.pid}`, target);
  return target;
}

/** @returns the path of an unpacked copy of a folder, all of whose files are kept as `.gz` */
export function fixtureFolder(path: string): string {
  for (const file of readdirSync(join(folder, path))) fixtureFile(join(path, file.replace(/\.gz$/, '')));
  return join(unpacked, path);
}
