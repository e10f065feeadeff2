import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { foldOrder, setName } from '../../src/eval/face-set.ts';
import { openFaceSet } from '../../src/eval/open-face-set.ts';
import { parsePairList } from '../../src/eval/pair-list.ts';
import { writeVerificationBin } from '../../src/format/verification-bin.ts';

const root = mkdtempSync(join(tmpdir(), 'face set '));
afterAll(() => rmSync(root, { recursive: true }));

/** Writes files whose content is their own name: no set is decoded here. */
function folder(name: string, images: readonly string[], texts: Readonly<Record<string, string>>): string {
  for (const [file, text] of [...images.map((image) => [image, image] as const), ...Object.entries(texts)]) {
    mkdirSync(dirname(join(root, name, file)), { recursive: true });
    writeFileSync(join(root, name, file), text);
  }
  return join(root, name);
}

const named = async (source: string, options = {}): Promise<string[]> => {
  const { images, pairs } = await openFaceSet(source, options);
  return Array.from(
    pairs.same,
    (same, k) => `${images[pairs.left[k]!]!.name} ${images[pairs.right[k]!]!.name} ${same}`,
  );
};

describe('CFP as published', () => {
  const [f, p] = [
    (id: number) => `Data/Images/00${id}/frontal/01.jpg`,
    (id: number) => `Data/Images/00${id}/profile/01.jpg`,
  ];
  const lists = (path: (id: number) => string): string => [1, 2].map((id) => `${id} ../${path(id)}\n`).join('');
  const cfp = folder(
    'cfp-dataset',
    [1, 2].flatMap((id) => [f(id), p(id)]),
    {
      'Protocol/Pair_list_F.txt': lists(f),
      'Protocol/Pair_list_P.txt': lists(p),
      'Protocol/Split/FP/01/same.txt': '1,1\n',
      'Protocol/Split/FP/01/diff.txt': '1,2\n',
      'Protocol/Split/FP/02/same.txt': '2,2\n',
      'Protocol/Split/FP/02/diff.txt': '2,1\n',
      'Protocol/Split/FF/01/same.txt': '1,1\n',
      'Protocol/Split/FF/01/diff.txt': '1,2\n',
    },
  );

  test('FP has frontal-profile pairs, fold after fold, with the view of each image', async () => {
    expect(await named(cfp)).toEqual([
      `${f(1)} ${p(1)} 1`,
      `${f(1)} ${p(2)} 0`,
      `${f(2)} ${p(2)} 1`,
      `${f(2)} ${p(1)} 0`,
    ]);
    const { name, images, views } = await openFaceSet(cfp);
    expect(name).toBe('CFP-FP');
    expect(images.map((image, i) => [image.name, views![i]])).toContainEqual([p(2), 'profile']);
  });

  test('FF has frontal-frontal pairs', async () => {
    expect(await named(cfp, { protocol: 'ff' })).toEqual([`${f(1)} ${f(1)} 1`, `${f(1)} ${f(2)} 0`]);
    expect((await openFaceSet(cfp, { protocol: 'ff' })).name).toBe('CFP-FF');
  });

  test('names the line of a number that is not in the list', async () => {
    writeFileSync(join(cfp, 'Protocol/Split/FF/01/diff.txt'), '1,2\n1,9\n');
    await expect(openFaceSet(cfp, { protocol: 'ff' })).rejects.toThrow(
      'Expected a number from the image list on line 2 but received "9"',
    );
  });
});

test('CALFW lists folds for genuine pairs only, so each fold gets pairs of both kinds', async () => {
  const pairs = [1, 2].map((fold) => `A_000${fold}.jpg ${fold}\nB_000${fold}.jpg ${fold}\n`).join('');
  const impostors = [1, 2].map((k) => `A_000${k}.jpg 0\nC_000${k}.jpg 0\n`).join('');
  const names = [1, 2].flatMap((k) => ['A', 'B', 'C'].map((person) => `aligned images/${person}_000${k}.jpg`));
  const calfw = folder('calfw', names, { 'pairs_CALFW.txt': pairs + impostors });
  const at = (name: string): string => `aligned images/${name}.jpg`;
  expect(await named(calfw, { folds: 2 })).toEqual([
    `${at('A_0001')} ${at('B_0001')} 1`,
    `${at('A_0001')} ${at('C_0001')} 0`,
    `${at('A_0002')} ${at('B_0002')} 1`,
    `${at('A_0002')} ${at('C_0002')} 0`,
  ]);
  const set = await openFaceSet(calfw, { folds: 2 });
  expect([set.name, set.notes]).toEqual([
    'CALFW',
    ['The list defines no folds: each of 2 folds received equally many pairs of both kinds.'],
  ]);
});

test('reads the official layout: labels in pair.list, images in img.list, two lines per pair', async () => {
  const official = folder('agedb', ['x/1.jpg', 'x/2.jpg', 'y/1.jpg'], {
    'pair.list': '1\n0\n',
    'img.list': 'x/1.jpg\nx/2.jpg\nx/1.jpg\ny/1.jpg\n',
  });
  expect(await named(official)).toEqual(['x/1.jpg x/2.jpg 1', 'x/1.jpg y/1.jpg 0']);
  writeFileSync(join(official, 'img.list'), 'x/1.jpg\nx/2.jpg\nx/1.jpg\n');
  await expect(openFaceSet(official)).rejects.toThrow('Expected 4 images in');
});

test('asks which of two lists in a folder to use', async () => {
  const both = folder('both', ['a/1.jpg'], { 'pairs.txt': '', 'pairs_CPLFW.txt': '' });
  await expect(openFaceSet(both)).rejects.toThrow('but it contains pairs.txt, pairs_CPLFW.txt: name it with --pairs.');
});

test('rejects an image name that fits two images, and names both', async () => {
  const twins = folder('twins', ['p/1.jpg', 'q/1.jpg'], { 'pairs.csv': 'left,right,same\n1,1,1\n' });
  await expect(openFaceSet(twins)).rejects.toThrow('"1" of pair 1 may be p/1.jpg or q/1.jpg');
});

test('reads each image of a .bin once, and the views of CFP-FP unless an image is on both sides', async () => {
  const image = (text: string): Buffer => Buffer.from(text);
  const write = (name: string, pairs: readonly (readonly [string, string])[]): Promise<void> =>
    writeVerificationBin(
      join(root, name),
      pairs.map(([a, b]) => ({ images: [image(a), image(b)] as const, same: a[0] === b[0] })),
    );
  await write('cfp_fp.bin', [
    ['a1', 'a2'],
    ['a1', 'b2'],
    ['b1', 'a2'],
  ]);
  const set = await openFaceSet(join(root, 'cfp_fp.bin'));
  expect(set.images.map(({ name }) => name)).toEqual(['cfp_fp#0', 'cfp_fp#1', 'cfp_fp#3', 'cfp_fp#4']);
  expect(set.views).toEqual(['frontal', 'profile', 'profile', 'frontal']);
  expect([...set.pairs.left, ...set.pairs.right]).toEqual([0, 0, 3, 1, 2, 1]);
  expect(String(await set.images[2]!.read())).toBe('b2');
  await set.close();
  await write('cfp_fp.bin', [
    ['a1', 'a2'],
    ['a2', 'b2'],
  ]);
  expect((await openFaceSet(join(root, 'cfp_fp.bin'))).views).toBeUndefined();
});

test('recognises the names of common sets, however they are written', () => {
  expect(['lfw', 'cfp_fp', 'CFP-FF', 'agedb_30', 'mine'].map(setName)).toEqual([
    'LFW',
    'CFP-FP',
    'CFP-FF',
    'AgeDB-30',
    'mine',
  ]);
});

test('keeps the order of alternating lists', () => {
  expect(foldOrder(Uint8Array.of(1, 0, 1, 0), 2)).toBeUndefined();
  expect(foldOrder(Uint8Array.of(1, 1, 1, 1, 0, 0, 0, 0), 2)).toEqual([0, 1, 4, 5, 2, 3, 6, 7]);
});

test("distributes a list like CPLFW's, with 3,000 genuine pairs first, over ten folds of 300 and 300", () => {
  const lines = Array.from({ length: 12_000 }, (_, line) => `Person_${line}.jpg ${line < 6000 ? 1 : 0}\n`);
  const { same } = parsePairList(`name same_person\n${lines.join('')}`, 'pairs_CPLFW.txt');
  const order = foldOrder(same, 10)!;
  expect(order).toHaveLength(6000);
  expect(new Set(order).size).toBe(6000);
  for (let fold = 0; fold < 10; fold++) {
    const labels = order.slice(600 * fold, 600 * (fold + 1)).map((pair) => same[pair]);
    expect(labels.filter((label) => label === 1)).toHaveLength(300);
  }
});
