/**
 * The protocol files of CFP (Celebrities in Frontal-Profile), as published: `Protocol/Pair_list_F.txt` and
 * `Pair_list_P.txt` number the images, `number path`; `Protocol/Split/FP/01..10/{same,diff}.txt` hold `i,j` of one fold,
 * i a frontal face, j a profile (FP) or another frontal face (FF).
 *
 * @see Sengupta et al., "Frontal to Profile Face Verification in the Wild", WACV 2016
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError } from '../../errors.ts';
import { lineError, type TextLine, textLines } from '../../format/text-lines.ts';
import type { PairList } from '../pair-list.ts';

/** Frontal with profile, or frontal with frontal. */
export type CfpProtocol = 'fp' | 'ff';

/** @returns paths relative to the set's folder, fold after fold */
export async function readCfpPairs(folder: string, protocol: CfpProtocol): Promise<PairList> {
  const frontal = await readNumbers(folder, 'Pair_list_F.txt');
  const second = protocol === 'fp' ? await readNumbers(folder, 'Pair_list_P.txt') : frontal;
  const split = join(folder, 'Protocol', 'Split', protocol.toUpperCase());
  const folds = (await readdir(split).catch(() => [])).filter((name) => /^\d+$/.test(name)).sort();
  if (folds.length === 0)
    throw new ConfigError('protocol', {
      expected: `folders 01, 02, … in ${split}`,
      problem: 'found none',
      remedy: 'unpack the whole set',
    });
  const [left, right, same]: [string[], string[], number[]] = [[], [], []];
  for (const fold of folds)
    for (const [name, label] of [
      ['same.txt', 1],
      ['diff.txt', 0],
    ] as const) {
      const file = join(split, fold, name);
      for (const line of textLines(await readFile(file, 'utf8'))) {
        const [i = '', j = ''] = line.text.split(/[,\s]+/);
        left.push(pathOf(frontal, i, { file, line }));
        right.push(pathOf(second, j, { file, line }));
        same.push(label);
      }
    }
  return { left, right, same: Uint8Array.from(same), columns: {} };
}

/** @returns whether an image is a `frontal` face or a `profile`, by its folder */
export const cfpView = (path: string): string => (/(^|\/)profile\//.test(path) ? 'profile' : 'frontal');

async function readNumbers(folder: string, name: string): Promise<ReadonlyMap<string, string>> {
  const file = join(folder, 'Protocol', name);
  const lines = textLines(await readFile(file, 'utf8'));
  return new Map(
    lines.map((line) => {
      const [index, path] = line.text.split(/\s+/);
      if (index !== undefined && path !== undefined) return [index, path.replace(/^(\.\.?\/)+/, '')];
      throw lineError(
        file,
        {
          expected: `"number path" on line ${line.number}`,
          received: `"${line.text}"`,
          remedy: "use the set's original list",
        },
        line,
      );
    }),
  );
}

function pathOf(
  images: ReadonlyMap<string, string>,
  index: string,
  { file, line }: { readonly file: string; readonly line: TextLine },
): string {
  const path = images.get(index);
  if (path !== undefined) return path;
  throw lineError(
    file,
    {
      expected: `a number from the image list on line ${line.number}`,
      received: `"${index}"`,
      remedy: "use the set's original lists",
    },
    line,
  );
}
