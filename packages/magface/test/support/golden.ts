/** Golden figures that the official code printed, in `test/fixtures/golden`. Large texts are kept as `.gz`. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

const folder = fileURLToPath(new URL('../fixtures/golden/', import.meta.url));
const unpacked = fileURLToPath(new URL('../../../../node_modules/.cache/magface-golden/', import.meta.url));

export function goldenText(path: string): string {
  const plain = join(folder, path);
  return existsSync(plain) ? readFileSync(plain, 'utf8') : gunzipSync(readFileSync(`${plain}.gz`)).toString();
}

export const goldenJson = <T>(path: string): T => JSON.parse(goldenText(path)) as T;

/** @returns the path of an unpacked copy of a golden file */
export function goldenFile(path: string): string {
  const [target, text] = [join(unpacked, path), goldenText(path)];
  if (existsSync(target) && readFileSync(target, 'utf8') === text) return target;
  mkdirSync(dirname(target), { recursive: true });
  // Two test processes may unpack at once: each writes its own file, and a rename replaces the target in one step.
  writeFileSync(`${target}.${process.pid}`, text);
  renameSync(`${target}.${process.pid}`, target);
  return target;
}

/** @returns the path of an unpacked copy of a golden folder */
export function goldenFolder(path: string): string {
  for (const file of readdirSync(join(folder, path))) goldenFile(join(path, file.replace(/\.gz$/, '')));
  return join(unpacked, path);
}
