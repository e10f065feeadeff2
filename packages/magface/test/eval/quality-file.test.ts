/** Files of scores as the scripts of CR-FIQA, eDifFIQA, LightQNet and OFIQ write them. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readQualities } from '../../src/eval/quality-file.ts';
import { fixtureFile } from '../support/fixtures.ts';

const folder = mkdtempSync(join(tmpdir(), 'scores '));
afterAll(() => rmSync(folder, { recursive: true }));

const names = ['aligned/A/A_0001.png', 'aligned/A/A_0002.png', 'aligned/B/B_0001.png'];
const features = { values: new Float32Array(3), dimension: 1, names };

async function read(name: string, text: string) {
  writeFileSync(join(folder, name), text);
  const measures = await readQualities(join(folder, name), features);
  return Object.fromEntries(measures.map((measure) => [measure.name, [...measure.values]]));
}

test('CR-FIQA: a path and a score per line, whatever the folder of the images was', async () => {
  const lines = [
    '/data/XQLFW/images/aligned/B/B_0001.jpg 1.9',
    '/data/XQLFW/images/aligned/A/A_0001.jpg 2.25',
    '/data/XQLFW/images/aligned/A/A_0002.jpg 2.5',
  ];
  expect(await read('CRFIQAL_XQLFW.txt', lines.join('\n'))).toEqual({ CRFIQAL_XQLFW: [2.25, 2.5, 1.9] });
});

test('eDifFIQA: a pickled dict of numpy scalars', async () => {
  const [measure] = await readQualities(fixtureFile('scores/quality-scores.pkl'), {
    ...features,
    names: ['A/A_0001.png', 'A/A_0002.png', 'B/B_0001.png'],
  });
  expect([measure!.name, [...measure!.values]]).toEqual(['quality-scores', [0.25, 0.75, 0.5]]);
});

test('a pickle that is no dict of numbers is refused, and never runs code', async () => {
  const refused = async (name: string, bytes: string, message: string) => {
    writeFileSync(join(folder, name), Buffer.from(bytes, 'latin1'));
    await expect(readQualities(join(folder, name), features)).rejects.toThrow(message);
  };
  await refused('list.pkl', ']\x94.', 'Expected a dict from names to numbers');
  await refused('code.pkl', 'cposix\nsystem\n(S"id"\ntR.', "uses Python's posix.system, which could run code");
});

test('LightQNet: images whose names begin with their score', async () => {
  const out = join(folder, 'images_out');
  mkdirSync(out);
  for (const name of ['0.8731_A_0001.jpg', '0.1250_A_0002.jpg', '0.5000_B_0001.jpg', 'notes.txt'])
    writeFileSync(join(out, name), '');
  const [measure] = await readQualities(out, features);
  expect([measure!.name, [...measure!.values]]).toEqual(['images_out', [0.8731, 0.125, 0.5]]);
});

test('OFIQ: the mapped values of its CSV, named after their component', async () => {
  const text = [
    'Filename;UnifiedQualityScore;Sharpness;UnifiedQualityScore.scalar;Sharpness.scalar;assessment_time_in_ms;',
    'data\\aligned\\A\\A_0001.png;24.556244;44;65;99;812.4;',
    'data\\aligned\\A\\A_0002.png;15.676003;50;6;100;799.1;',
    'data\\aligned\\B\\B_0001.png;0.000000;0;-1;-1;35.0;', // a failure to assess ranks lowest
  ].join('\n');
  expect(await read('ofiq.csv', text)).toEqual({
    'UnifiedQualityScore (OFIQ)': [65, 6, -1],
    'Sharpness (OFIQ)': [99, 100, -1],
  });
});

test('a table has a measure per column; values alone go by the order of the features', async () => {
  expect(await read('t.csv', 'name,a,b\nA_0001.jpg,1,2\nA_0002.jpg,3,4\nB_0001.jpg,5,6\n')).toEqual({
    a: [1, 3, 5],
    b: [2, 4, 6],
  });
  expect(await read('v.txt', '3\n2\n1\n')).toEqual({ v: [3, 2, 1] });
});

test.each([
  ['a.txt', 'A/A_0001.jpg 1\nA/A_0002.jpg 2\n', 'but "aligned/B/B_0001.png" has none: add a line for it.'],
  [
    'b.txt',
    'x/aligned/A/A_0001 1\ny/aligned/A/A_0001 2\n',
    'Expected a quality for "aligned/A/A_0001.png" alone but found 2',
  ],
  ['c.txt', 'A_0001.jpg 1\nA_0002.jpg high\n', 'but line 2 ends in "high": correct the line.'],
  ['d.csv', 'name,a\nA_0001.jpg,1\nA_0002.jpg,1,2\n', 'Expected 2 columns (name, a) but line 3 has 3'],
  ['e.csv', 'Filename;a;\nA_0001.jpg;1;\n', 'Expected scores but found none'],
])('%s is refused with its reason', async (name, text, message) => {
  await expect(read(name, text)).rejects.toThrow(message);
});

test('one entry does not serve two features', async () => {
  writeFileSync(join(folder, 'one.txt'), '01.jpg 1\n');
  const both = { ...features, values: new Float32Array(2), names: ['A/01.jpg', 'B/01.jpg'] };
  await expect(readQualities(join(folder, 'one.txt'), both)).rejects.toThrow('the same one fits "A/01.jpg"');
});
