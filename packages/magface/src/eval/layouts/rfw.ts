/**
 * The layout of RFW (Racial Faces in the Wild), as published:
 *
 *     txts/RACE/RACE_pairs.txt         6,000 lines `id i j` or `idA i idB j`, ten folds of 300 and 300 pairs
 *     data/RACE/ID/ID_0001.jpg         photos; ID as in MS-Celeb-1M, such as m.0c7mh2
 *
 * The groups become one list: fold k holds the k-th tenth of each group's pairs, and the column `race` names the group.
 *
 * @see Wang et al., "Racial Faces in the Wild", ICCV 2019
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type PairList, parseNumberedPairs } from '../pair-list.ts';
import type { Layout } from './layout.ts';

/** The set's groups, by the names that it gives them. */
const races = ['African', 'Asian', 'Caucasian', 'Indian'] as const;

/** @returns undefined if the folder has no list of a group */
export async function rfwLayout(folder: string, folds: number): Promise<Layout | undefined> {
  const inside = existsSync(join(folder, 'test', 'txts')) ? 'test' : '';
  const lists = races.flatMap((race) => {
    const file = [join('txts', race, `${race}_pairs.txt`), `${race}_pairs.txt`]
      .map((path) => join(folder, inside, path))
      .find((path) => existsSync(path));
    return file === undefined ? [] : [{ race, file }];
  });
  if (lists.length === 0) return undefined;
  const read = await Promise.all(
    lists.map(async ({ race, file }) => ({
      race,
      pairs: parseNumberedPairs(await readFile(file, 'utf8'), file, (id, number) =>
        join(inside, 'data', race, id, `${id}_${number}.jpg`),
      ),
    })),
  );
  const absent = races.filter((race) => lists.every((list) => list.race !== race));
  return {
    name: 'RFW',
    list: foldByFold(read, folds),
    notes: absent.length === 0 ? [] : [`The folder has no list of the groups ${absent.join(', ')}: they are left out.`],
  };
}

function foldByFold(groups: readonly { readonly race: string; readonly pairs: PairList }[], folds: number): PairList {
  const [left, right, same, race]: [string[], string[], number[], string[]] = [[], [], [], []];
  for (let fold = 0; fold < folds; fold++)
    for (const { race: name, pairs } of groups) {
      const count = pairs.same.length;
      for (let i = Math.floor((count * fold) / folds); i < Math.floor((count * (fold + 1)) / folds); i++) {
        left.push(pairs.left[i]!);
        right.push(pairs.right[i]!);
        same.push(pairs.same[i]!);
        race.push(name);
      }
    }
  return { left, right, same: Uint8Array.from(same), columns: { race } };
}
