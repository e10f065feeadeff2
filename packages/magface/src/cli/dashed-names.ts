/** File names that begin with a dash and would be parsed as flags. */
import { existsSync } from 'node:fs';
import { isImageName } from '../image-names.ts';

/** @returns the words, with `./` before existing images: no flag has an image's extension */
export const withDashedImages = (words: readonly string[]): string[] =>
  words.map((word) => (isImageName(word) && isThere(word) ? `./${word}` : word));

/** @returns how to name an existing file that looks like an unknown flag; undefined if there is none */
export function dashedHint(words: readonly string[]): string | undefined {
  const word = words.find((word) => isThere(word));
  return word && `A file or folder of that name is here: write ./${word} for it.`;
}

const isThere = (word: string): boolean => /^-./.test(word) && word !== '--' && existsSync(word);
