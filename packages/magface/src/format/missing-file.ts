/** The fault of a missing file. */
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';

/** @returns `there is no such file`, or that its folder is missing */
export function missingProblem(file: string): string {
  const folder = dirname(file);
  return existsSync(folder) ? 'there is no such file' : `the folder ${folder} does not exist`;
}
