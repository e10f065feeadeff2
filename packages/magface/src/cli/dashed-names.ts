/** Files whose names begin with a dash, which the parser of flags takes for one. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isImageName } from '../image-names.ts';

/** @returns the words with `./` before those that name an image which is there: no flag ends as an image does */
export const withDashedImages = (words: readonly string[], cwd: string): string[] =>
  words.map((word) => (isImageName(word) && isThere(word, cwd) ? `./${word}` : word));

/** @returns how to name what is there by the name of a flag that nobody knows; undefined when nothing is */
export function dashedHint(words: readonly string[], cwd: string): string | undefined {
  const word = words.find((word) => isThere(word, cwd));
  return word && `A file or folder of that name is here: write ./${word} for it.`;
}

const isThere = (word: string, cwd: string): boolean =>
  /^-./.test(word) && word !== '--' && existsSync(join(cwd, word));
