/** LFW and CelebA for a bench that trains on both and tests on pairs of people in neither list. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { alsoInLfw, researchFolder } from './data.ts';

const linesOf = (file: string): string[] => readFileSync(file, 'utf8').trim().split('\n');

/** What such a bench reads. */
export interface LfwCeleba {
  /** Two official lists, with people numbered from 0 and without those of CelebA who are in LFW. */
  readonly trainLists: readonly string[];
  /** The list of pairs. */
  readonly pairs: string;
  /** Images of the pairs, by their names there, each once. */
  readonly testNames: readonly string[];
  /** Folder that these names are relative to. */
  readonly testRoot: string;
  /** A list of these images, for readers of training sets; the labels mean nothing. */
  readonly testList: string;
}

/** @param output - an existing folder for the lists */
export function lfwCeleba(output: string): LfwCeleba {
  const faces = join(researchFolder('faces/lfw', 'faces/celeba'), 'faces');
  const testRoot = join(faces, 'lfw');
  const pairs = join(testRoot, 'test_pairs.list');
  const testNames = [...new Set(linesOf(pairs).flatMap((line) => line.split(' ').slice(0, 2)))];
  const testList = join(output, 'test.list');
  writeFileSync(testList, testNames.map((name) => `${join(testRoot, name)} 0 0 0\n`).join(''));
  return { trainLists: [trainList('lfw'), trainList('celeba')], pairs, testNames, testRoot, testList };

  function trainList(set: 'lfw' | 'celeba'): string {
    const people = new Map<string, number>();
    const kept = linesOf(join(faces, set, 'train.list')).flatMap((line) => {
      const path = line.split(' ')[0]!;
      const person = path.split('/').at(-2)!;
      if (set === 'celeba' && alsoInLfw.has(person)) return [];
      const id = people.get(person) ?? people.size;
      people.set(person, id);
      return [`${join(faces, set, path)} 0 ${id} 0\n`];
    });
    const list = join(output, `${set}.list`);
    writeFileSync(list, kept.join(''));
    return list;
  }
}
