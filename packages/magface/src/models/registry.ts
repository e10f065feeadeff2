/** The registry of models with an id, from models.json in this package. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { FormatError } from '../errors.ts';
import { contractSchema, type ModelContract } from './contract.ts';

const entry = z.strictObject({
  id: z.string(),
  description: z.string(),
  /** `https:`, `npm:`, or `package:PATH` of a file shipped in this one; absent if the user must fetch the file. */
  source: z.string().optional(),
  /** How to fetch a file without a source. */
  instructions: z.string().optional(),
  sha256: z.string().length(64).optional(),
  contract: contractSchema,
});

export interface RegistryEntry {
  readonly id: string;
  readonly description: string;
  readonly source?: string | undefined;
  readonly instructions?: string | undefined;
  readonly sha256?: string | undefined;
  readonly contract: ModelContract;
}

let registry: Promise<readonly RegistryEntry[]> | undefined;

/** @returns all entries, in display order. */
export function readRegistry(): Promise<readonly RegistryEntry[]> {
  const file = fileURLToPath(new URL('../../models.json', import.meta.url));
  registry ??= readFile(file, 'utf8').then((text) => parseRegistry(text, file));
  return registry;
}

/** @throws {FormatError} if the text is not a valid registry */
export function parseRegistry(text: string, file: string): readonly RegistryEntry[] {
  try {
    return z.array(entry).parse(JSON.parse(text));
  } catch (cause) {
    throw new FormatError(
      file,
      {
        expected: 'the list of models in this package',
        problem: 'the file was changed',
        remedy: 'install the package again',
      },
      { offset: 0, cause },
    );
  }
}

/** @returns the ids most similar to a word, nearest first, for "did you mean". */
export function nearestIds(word: string, ids: readonly string[]): string[] {
  const scored = ids.map((id) => ({ id, distance: editDistance(word.toLowerCase(), id) }));
  return scored
    .filter(({ id, distance }) => distance <= Math.max(2, id.length / 3))
    .sort((a, b) => a.distance - b.distance)
    .map(({ id }) => id);
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}
