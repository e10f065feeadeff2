/** RFW, SCface and TinyFace: folders made by the layouts that their authors document; the files hold their own names. */
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { identifySet } from '../../../src/eval/identify-set.ts';
import { identitiesOf } from '../../../src/eval/identities.ts';
import { openTinyFace, tinyFaceFolder } from '../../../src/eval/layouts/tinyface.ts';
import { openFaceSet } from '../../../src/eval/open-face-set.ts';
import { bytesSource } from '../../../src/format/byte-source.ts';
import { readMatFile } from '../../../src/format/mat-file.ts';
import { fixtureFile } from '../../support/fixtures.ts';

const root = mkdtempSync(join(tmpdir(), 'layouts '));
afterAll(() => rmSync(root, { recursive: true }));

function write(name: string, text = name): void {
  mkdirSync(dirname(join(root, name)), { recursive: true });
  writeFileSync(join(root, name), text);
}

const pairsOf = async (folder: string, options = {}): Promise<string[]> => {
  const { images, pairs, columns } = await openFaceSet(join(root, folder), options);
  return Array.from(pairs.same, (same, k) =>
    [
      images[pairs.left[k]!]!.name,
      images[pairs.right[k]!]!.name,
      same,
      ...Object.values(columns).map((column) => column[k]),
    ].join(' '),
  );
};

describe('RFW', () => {
  const people = {
    African: ['m.0a', 'm.0b'],
    Asian: ['m.0c', 'm.0d'],
    Caucasian: ['m.0e', 'm.0f'],
    Indian: ['m.0g', 'm.0h'],
  };
  beforeAll(() => {
    for (const [race, [first, second]] of Object.entries(people)) {
      write(
        `rfw/test/txts/${race}/${race}_pairs.txt`,
        `${first}\t1\t2\n${first}\t1\t${second}\t3\n${second}\t1\t3\n${second}\t1\t${first}\t2\n`,
      );
      for (const id of [first, second])
        for (const number of [1, 2, 3]) write(`rfw/test/data/${race}/${id}/${id}_000${number}.jpg`);
    }
  });

  test('four groups become one list of two folds, with the group of each pair', async () => {
    const pairs = await pairsOf('rfw', { folds: 2 });
    expect(pairs).toHaveLength(16);
    const at = (race: string, id: string, number: number): string => `test/data/${race}/${id}/${id}_000${number}.jpg`;
    expect(pairs.slice(0, 3)).toEqual([
      `${at('African', 'm.0a', 1)} ${at('African', 'm.0a', 2)} 1 African`,
      `${at('African', 'm.0a', 1)} ${at('African', 'm.0b', 3)} 0 African`,
      `${at('Asian', 'm.0c', 1)} ${at('Asian', 'm.0c', 2)} 1 Asian`,
    ]);
    expect(pairs[8]).toBe(`${at('African', 'm.0b', 1)} ${at('African', 'm.0b', 3)} 1 African`);
    const set = await openFaceSet(join(root, 'rfw'), { folds: 2 });
    expect([set.name, Object.keys(set.columns), set.notes]).toEqual(['RFW', ['race'], []]);
    const identities = identitiesOf(
      set.pairs,
      set.images.map(({ name }) => name),
    );
    expect([identities.from, identities.count]).toEqual(['folders', 8]);
  });

  test('a group without a list is left out, and a note says so', async () => {
    rmSync(join(root, 'rfw/test/txts/Indian'), { recursive: true });
    const set = await openFaceSet(join(root, 'rfw'), { folds: 2 });
    expect(set.notes).toEqual(['The folder has no list of the groups Indian: they are left out.']);
    expect(new Set(set.columns['race'])).toEqual(new Set(['African', 'Asian', 'Caucasian']));
  });

  test('a missing image is an error that names it', async () => {
    rmSync(join(root, 'rfw/test/data/Asian/m.0c/m.0c_0002.jpg'));
    await expect(openFaceSet(join(root, 'rfw'))).rejects.toThrow(/m\.0c_0002\.jpg" of pair \d+ is missing/);
  });
});

describe('SCface', () => {
  beforeAll(() => {
    for (const person of ['001', '002', '003']) {
      write(`scface/mugshot_frontal_cropped_all/${person}_frontal.JPG`);
      for (const distance of [1, 2, 3])
        for (const camera of [1, 5, 6]) // camera 6 sees infrared
          write(
            `scface/surveillance_cameras_distance_${distance}/cam_${camera}/${person}_cam${camera}_${distance}.jpg`,
          );
    }
  });

  test('every surveillance image in visible light meets every mugshot, person after person', async () => {
    const pairs = await pairsOf('scface');
    expect(pairs).toHaveLength(3 * 3 * 2 * 3);
    expect(pairs.slice(0, 2)).toEqual([
      'mugshot_frontal_cropped_all/001_frontal.JPG surveillance_cameras_distance_1/cam_1/001_cam1_1.jpg 1 4.20 m 1',
      'mugshot_frontal_cropped_all/002_frontal.JPG surveillance_cameras_distance_1/cam_1/001_cam1_1.jpg 0 4.20 m 1',
    ]);
    expect(pairs.filter((pair) => pair.includes(' 1 4.20 m'))).toHaveLength(6);
    expect(pairs.some((pair) => pair.includes('cam6'))).toBe(false);
    const { name, pairs: rows, images } = await openFaceSet(join(root, 'scface'));
    expect(name).toBe('SCface');
    expect(
      identitiesOf(
        rows,
        images.map((image) => image.name),
      ).count,
    ).toBe(3);
  });

  test('a person without a mugshot is an error', async () => {
    rmSync(join(root, 'scface/mugshot_frontal_cropped_all/002_frontal.JPG'));
    await expect(openFaceSet(join(root, 'scface'))).rejects.toThrow(
      'surveillance_cameras_distance_1/cam_1/002_cam1_1.jpg has none: unpack the whole set.',
    );
  });
});

describe('TinyFace', () => {
  const lists = fixtureFile('tinyface');
  beforeAll(() => {
    mkdirSync(join(root, 'tinyface/Testing_Set'), { recursive: true });
    for (const name of readdirSync(lists))
      if (name.endsWith('.mat')) copyFileSync(join(lists, name), join(root, 'tinyface/Testing_Set', name));
    for (const name of ['1_1', '1_2', '2_1', '300_1']) write(`tinyface/Testing_Set/Gallery_Match/${name}.jpg`);
    for (const name of ['1_3', '2_2', '300_2']) write(`tinyface/Testing_Set/Probe/${name}.jpg`);
    for (const name of ['a', 'b']) write(`tinyface/Testing_Set/Gallery_Distractor/${name}.jpg`);
  });

  test('gallery, distractors as people of their own, and probes, from the lists that scipy wrote', async () => {
    const folder = tinyFaceFolder(join(root, 'tinyface'))!;
    const set = await openTinyFace(folder);
    expect(set.images.map(({ name }) => name.replace(/.*\//, ''))).toEqual([
      ...['1_1.jpg', '1_2.jpg', '2_1.jpg', '300_1.jpg', 'a.jpg', 'b.jpg', '1_3.jpg', '2_2.jpg', '300_2.jpg'],
    ]);
    expect([[...set.gallery], [...set.probes], set.distractors]).toEqual([[1, 1, 2, 300, 301, 302], [1, 2, 300], 2]);
  });

  test('ranks count images of others that are as alike as the own best', async () => {
    const set = await openTinyFace(tinyFaceFolder(join(root, 'tinyface'))!);
    const at = (degrees: number): number[] => [
      Math.cos((degrees * Math.PI) / 180),
      Math.sin((degrees * Math.PI) / 180),
    ];
    // Gallery 1, 1, 2, 300, distractors a, b; probes 1, 2, 300. Probe 2 is nearer to both images of 1 and to a.
    const values = Float32Array.from([0, 4, 40, 120, 8, 180, 1, 6, 121].flatMap(at));
    const { cmc, matedProbes, gallery } = await identifySet(set, { values, dimension: 2 }, { ranks: [1, 2, 3, 4] });
    expect([matedProbes, gallery]).toEqual([3, 5]);
    expect(cmc).toEqual({ '1': 2 / 3, '2': 2 / 3, '3': 2 / 3, '4': 1 });
  });

  test('as pairs it is refused, and says what to run', async () => {
    await expect(openFaceSet(join(root, 'tinyface'))).rejects.toThrow('measure it with `magface evaluate set`');
  });

  test('a list that is no MAT-file of level 5 is refused', async () => {
    const read = (text: string) => readMatFile(bytesSource(Buffer.from(text.padEnd(200)), 'a.mat'));
    await expect(read('MATLAB 7.3 MAT-file')).rejects.toThrow("save it with MATLAB's option -v7");
    await expect(read('left,right,same')).rejects.toThrow('its first bytes differ');
    const bytes = readFileSync(join(lists, 'gallery_match_img_ID_pairs.mat'));
    await expect(readMatFile(bytesSource(bytes.subarray(0, 150), 'a.mat'))).rejects.toThrow('fewer are left');
  });
});

test('XQLFW has the form of LFW; CPLFW and AgeDB-30 are known by the names of their lists', async () => {
  for (const name of ['A_0001', 'A_0002', 'B_0001']) write(`xqlfw/images/${name.slice(0, 1)}/${name}.jpg`);
  write('xqlfw/xqlfw_pairs.txt', '10\t1\nA\t1\t2\nA\t1\tB\t1\n');
  expect(await pairsOf('xqlfw')).toEqual([
    'images/A/A_0001.jpg images/A/A_0002.jpg 1',
    'images/A/A_0001.jpg images/B/B_0001.jpg 0',
  ]);
  for (const name of ['A_1', 'A_2', 'B_1']) write(`cplfw/aligned images/${name}.jpg`);
  write('cplfw/pairs_CPLFW.txt', 'name same_person\nA_1.jpg 1\nA_2.jpg 1\nA_1.jpg 0\nB_1.jpg 0\n');
  for (const name of ['1_A_30_f', '2_A_60_f', '3_B_31_m']) write(`agedb/${name}.jpg`);
  write('agedb/agedb_30_pairs.txt', '1_A_30_f.jpg 2_A_60_f.jpg 1\n1_A_30_f.jpg 3_B_31_m.jpg 0\n');
  expect(await pairsOf('agedb')).toEqual(['1_A_30_f.jpg 2_A_60_f.jpg 1', '1_A_30_f.jpg 3_B_31_m.jpg 0']);
  const names = await Promise.all(
    ['xqlfw', 'cplfw', 'agedb'].map(async (folder) => (await openFaceSet(join(root, folder))).name),
  );
  expect(names).toEqual(['XQLFW', 'CPLFW', 'AgeDB-30']);
});
