/** `magface people` against a recogniser that tells people by the first letter of the image's name. */
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import sharp from 'sharp';
import { beforeEach, expect, test } from 'vitest';
import type { Recogniser } from '../../src/cli/services.ts';
import { emptyFolder, fakeRecogniser, runCli } from './run-cli.ts';

let cwd = '';
/** Photos that were embedded since. */
let embedded: string[] = [];

beforeEach(async () => {
  cwd = emptyFolder();
  embedded = [];
  mkdirSync(join(cwd, 'photos'));
  const files = ['ann-1', 'ann-2', 'ann-3', 'bea-1', 'bea-2', 'cy-no-face', 'dan-two'];
  for (const [at, name] of files.entries()) await photo(`${name}.png`, 90 - at);
});

const photo = (name: string, width: number, colour = 'grey') =>
  sharp({ create: { width, height: 50, channels: 3, background: colour } }).toFile(join(cwd, 'photos', name));

const thresholds = [
  { fmr: 0.01, threshold: 0.3 },
  { fmr: 0.0001, threshold: 0.5 },
];

function recogniser(): Recogniser {
  const fake = fakeRecogniser({ thresholds });
  const stream: Recogniser['stream'] = async function* (inputs, options) {
    for await (const result of fake.stream(inputs, options)) {
      const name = basename(String(result.input));
      embedded.push(name);
      yield result.faces === undefined
        ? result
        : {
            ...result,
            faces: result.faces.map((face, at) => ({ ...face, embedding: towards(name, face.magnitude, at) })),
          };
    }
  };
  return { ...fake, stream };
}

function towards(name: string, length: number, face: number): Float32Array {
  const embedding = new Float32Array(8);
  embedding['abcdefgh'.indexOf(name[0]!) + face] = length;
  return embedding;
}

const people = (...words: string[]) =>
  runCli(['people', ...words], { cwd, services: { load: async () => recogniser() } });

interface Row {
  readonly person: number;
  readonly name: string | null;
  readonly faces: readonly { readonly image: string; readonly face: number; readonly doubtful: boolean }[];
}

const rows = async (...words: string[]): Promise<Row[]> => JSON.parse((await people(...words, '--json', '-q')).stdout);

const shown = (found: readonly Row[]) =>
  found.map(({ person, name, faces }) => [person, name, ...faces.map(({ image }) => basename(image, '.png'))]);

test('people prints a row a person with the best shot, and what is to be expected', async () => {
  const { exitCode, stdout, stderr } = await people('photos');
  expect(exitCode).toBe(0);
  expect(stdout).toBe(
    [
      'person  name  faces  best shot           face  quality  doubtful',
      '     1  -         3  photos/ann-1.png       0       98         0',
      '     2  -         2  photos/bea-1.png       0       98         0',
      '     3  -         1  photos/dan-two.png     0       97         0',
      '     4  -         1  photos/dan-two.png     1       92         0',
      '',
    ].join('\n'),
  );
  expect(stderr).toContain('7 faces of 4 people; 0 poor faces resemble nobody enough.');
  expect(stderr).toContain('Expected wrong merges: 0.040 (similarity 0.');
  expect(stderr).not.toContain('cy-no-face');
});

test('people --state embeds new photos only, and knows moved ones and copies', async () => {
  await people('photos', '--state', 'state');
  expect(embedded).toHaveLength(7);
  await photo('bea-3.png', 95);
  renameSync(join(cwd, 'photos/ann-1.png'), join(cwd, 'photos/z.png'));
  embedded = [];
  const found = await rows('photos', '--state', 'state');
  expect(embedded).toEqual(['bea-3.png']);
  expect(shown(found).slice(0, 2)).toEqual([
    [2, null, 'bea-3', 'bea-1', 'bea-2'],
    [1, null, 'z', 'ann-2', 'ann-3'],
  ]);
  rmSync(join(cwd, 'photos/ann-2.png'));
  embedded = [];
  const { stdout, stderr } = await people('--state', 'state', '--json');
  expect(shown(JSON.parse(stdout))[1]).toEqual([1, null, 'z', 'ann-3']);
  expect(stderr).toContain('1 known photos are gone and left out.');
  expect(embedded).toEqual([]);
});

test('a killed run goes on where it was, with the same result', async () => {
  const whole = await rows('photos', '--state', 'whole');
  await people('photos', '--state', 'state');
  const file = join(cwd, 'state/photos.jsonl');
  const lines = readFileSync(file, 'utf8').split('\n');
  rmSync(file);
  rmSync(join(cwd, 'state/people.json'));
  appendFileSync(file, `${lines.slice(0, 4).join('\n')}\n${lines[4]!.slice(0, 50)}`);
  embedded = [];
  expect(await rows('photos', '--state', 'state')).toEqual(whole);
  expect(embedded).toEqual(['bea-1.png', 'bea-2.png', 'cy-no-face.png', 'dan-two.png']);
  expect(readFileSync(file, 'utf8').trim().split('\n')).toHaveLength(lines.length - 1);
});

test('names and corrections are kept, the newest word counts', async () => {
  const state = ['--state', 'state'];
  await people('photos', ...state);
  expect(shown(await rows(...state, '--name', '1=Ann Lee', '--join', '2,3')).slice(0, 2)).toEqual([
    [1, 'Ann Lee', 'ann-1', 'ann-2', 'ann-3'],
    [2, null, 'bea-1', 'bea-2', 'dan-two'],
  ]);
  expect(shown(await rows(...state, '--apart', '2,Ann Lee')).map((row) => row.slice(1))).toContainEqual([
    'Ann Lee',
    ...['ann-1', 'ann-2', 'ann-3'],
  ]);
  const parted = await rows('photos', ...state, '--not', 'Ann Lee=photos/ann-3.png');
  expect(shown(parted).map((row) => row.slice(1))).toContainEqual([null, 'ann-3']);
  const again = await rows(
    ...state,
    '--join',
    `Ann Lee,${parted.find(({ faces }) => faces[0]!.image.includes('ann-3'))!.person}`,
  );
  expect(shown(again)[0]).toEqual([1, 'Ann Lee', 'ann-1', 'ann-2', 'ann-3']);
});

test('people --database gives the same people, names and corrections as --state', async () => {
  const run = async (...place: string[]) => {
    embedded = [];
    const first = shown(await rows('photos', ...place));
    await photo('bea-3.png', 95);
    const words = ['--name', '1=Ann Lee', '--join', '2,3', '--not', '1=photos/ann-3.png'];
    const second = shown(await rows('photos', ...place, ...words));
    const third = shown(await rows(...place));
    rmSync(join(cwd, 'photos/bea-3.png'));
    return [first, second, third, embedded];
  };
  const found = await run('--database', 'db');
  expect(found).toEqual(await run('--state', 'state'));
  expect(found[2]).toEqual(found[1]);
  expect(existsSync(join(cwd, 'db/data/PG_VERSION'))).toBe(true);
});

test('people --output links photos by person, and replaces its links alone', async () => {
  await people('photos', '--output', 'out');
  expect(readdirSync(join(cwd, 'out')).sort()).toEqual([
    '.magface',
    'people.json',
    'person-1',
    'person-2',
    'person-3',
    'person-4',
  ]);
  expect(realpathSync(join(cwd, 'out/person-2/bea-2.png'))).toBe(realpathSync(join(cwd, 'photos/bea-2.png')));
  appendFileSync(join(cwd, 'out/person-2/mine.txt'), 'mine');
  await people('--state', 'out/.magface', '--output', 'out', '--name', '2=Bea/B', '--name', '1=Ann');
  expect(readdirSync(join(cwd, 'out/Bea_B')).sort()).toEqual(['bea-1.png', 'bea-2.png']);
  expect(readdirSync(join(cwd, 'out/person-2'))).toEqual(['mine.txt']);
  expect(existsSync(join(cwd, 'out/person-1'))).toBe(false);
  const { people: all, questions } = JSON.parse(readFileSync(join(cwd, 'out/people.json'), 'utf8'));
  expect(all.map(({ name }: Row) => name)).toEqual(['Ann', 'Bea/B', null, null]);
  expect(questions).toEqual([]);
});

test('people --report shows the best shot of each', async () => {
  await people('photos', '--report', 'people.html', '--state', 'state', '--name', '1=x').catch(() => undefined);
  await people('photos', '--report', 'people.html', '--state', 'state');
  const html = readFileSync(join(cwd, 'people.html'), 'utf8');
  expect(html).toContain('4 people in 7 faces');
  expect(html.match(/data:image\/jpeg/g)).toHaveLength(4);
});

test('people refuses what it cannot do', async () => {
  const said = async (...words: string[]) => {
    const { exitCode, stderr } = await people(...words);
    expect(exitCode).toBe(2);
    return stderr;
  };
  expect(await said()).toContain('Expected photos (or --state or --database of an earlier run');
  expect(await said('--state', 'none')).toContain('Expected photos in none but it has none yet');
  expect(await said('--state', 'none', '--database', 'db')).toContain(
    'Expected one place for the library but received',
  );
  expect(await said('photos', '--database', 'photos')).toContain(
    'Expected a library or an empty folder at photos but it contains other files, such as ',
  );
  await people('photos', '--state', 'state');
  expect(await said('--state', 'state', '--name', '9=Ann')).toContain(
    'Expected a person of the last run but received "9"',
  );
  expect(await said('--state', 'state', '--not', '1=photos/bea-1.png')).toContain('Expected a face of that person');
  expect(await said('--state', 'state', '--name', 'Ann')).toContain('Expected two parts with = between them');
  appendFileSync(join(cwd, 'state/photos.jsonl'), '{"odd":1}\n');
  expect(await said('--state', 'state')).toContain('Expected what `magface people` wrote but line 9 is damaged');
});
