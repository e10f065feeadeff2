/** Opens a verification set from a `.bin` or a folder. */
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { ConfigError } from '../errors.ts';
import type { FaceSet } from './face-set.ts';
import { openBinSet } from './face-set-bin.ts';
import { type FolderSetOptions, openFolderSet } from './face-set-folder.ts';
import { tinyFaceFolder } from './layouts/tinyface.ts';

/**
 * Opens a verification set.
 *
 * @param source - a `.bin` of InsightFace, or the folder of a set
 * @throws {ConfigError} if it is neither
 */
export async function openFaceSet(source: string, options: FolderSetOptions = {}): Promise<FaceSet> {
  const there = await stat(source).catch(() => undefined);
  if (there?.isDirectory() === true && options.pairs === undefined && tinyFaceFolder(source) !== undefined) {
    throw new ConfigError('set', {
      expected: 'a set of pairs',
      problem: `${source} is TinyFace, which identifies probes in a gallery`,
      remedy: 'measure it with `magface evaluate set`',
    });
  }
  if (there?.isDirectory() === true) return openFolderSet(source, options);
  const problem = there === undefined ? 'it does not exist' : `${basename(source)} is neither`;
  if (there === undefined || !source.endsWith('.bin'))
    throw new ConfigError('set', {
      expected: `a folder or a .bin file at ${source}`,
      problem,
      remedy: 'check the path',
    });
  const given = (['pairs', 'images', 'protocol'] as const).find((key) => options[key] !== undefined);
  if (given !== undefined)
    throw new ConfigError(given, {
      expected: `no --${given} with ${basename(source)}, because a .bin contains its own images and pairs`,
      remedy: 'leave it out',
    });
  return openBinSet(source);
}
