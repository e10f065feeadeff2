/** The error text for a missing file. */
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';

/** @returns `a/b: Expected a file but there is no such file: check the path.`, or that its folder is not there */
export function missingFile(file: string): string {
  return `${file}: ${missingWords(file)}`;
}

/** The same without the name, for an error that begins with it. */
export function missingWords(file: string): string {
  const folder = dirname(file);
  const what = existsSync(folder) ? 'there is no such file' : `the folder ${folder} does not exist`;
  return `Expected a file but ${what}: check the path.`;
}
