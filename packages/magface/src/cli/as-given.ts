/** Paths as the user typed them: the library is handed whole ones and names those in its errors. */
import { dirname, resolve } from 'node:path';

/**
 * @param words - the command line
 * @returns the message with each path of the words, and the folders that it lies in, as the words have it
 */
export function asGiven(message: string, words: readonly string[], cwd: string): string {
  const given = words.flatMap((word) => [word, word.replace(/^--?[\w-]+=/, '')]).flatMap(withFolders);
  const paths = new Map([...new Set(given)].map((word) => [resolve(cwd, word), word]));
  return [...paths]
    .filter(([path, word]) => path !== word && message.includes(path))
    .sort(([a], [b]) => b.length - a.length) // what lies deeper is named first
    .reduce((text, [path, word]) => text.replaceAll(path, word), message);
}

/** `a/b/c.jpg`, `a/b` and `a`; nothing of an empty word. */
function withFolders(word: string): string[] {
  const all: string[] = [];
  for (let at = word; at !== '' && at !== '.' && all.at(-1) !== at; at = dirname(at)) all.push(at);
  return all;
}
