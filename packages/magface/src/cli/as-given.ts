/** Restores paths as typed: the library receives absolute paths and uses them in errors. */
import { dirname, resolve } from 'node:path';

/**
 * @param words - the command line
 * @returns the message, with absolute paths and parent folders of the words as typed
 */
export function asGiven(message: string, words: readonly string[], cwd: string): string {
  const given = words.flatMap((word) => [word, word.replace(/^--?[\w-]+=/, '')]).flatMap(withFolders);
  const paths = new Map([...new Set(given)].map((word) => [resolve(cwd, word), word]));
  return [...paths]
    .filter(([path, word]) => path !== word && message.includes(path))
    .sort(([a], [b]) => b.length - a.length) // deeper paths are replaced first
    .reduce((text, [path, word]) => text.replaceAll(path, word), message);
}

/** `a/b/c.jpg`, `a/b` and `a`; nothing for an empty word. */
function withFolders(word: string): string[] {
  const all: string[] = [];
  for (let at = word; at !== '' && at !== '.' && all.at(-1) !== at; at = dirname(at)) all.push(at);
  return all;
}
