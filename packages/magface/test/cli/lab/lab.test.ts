/** `magface lab` on small pictures: a page, a table, JSON, and what it refuses. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { randomStream } from '../../../src/random.ts';
import { tinyOnnx, tinyRecord } from '../../support/tiny-onnx.ts';
import { runIn } from '../evaluate/evaluate-run.ts';

const folder = mkdtempSync(join(tmpdir(), 'magface lab '));
const people = 20;

/** People of one colour, four pictures each, half of one darker; LFW's layout. */
beforeAll(async () => {
  writeFileSync(join(folder, 'tiny.onnx'), tinyOnnx(112, tinyRecord([128, 128, 128])));
  const random = randomStream(7);
  const scores: string[] = ['name,depth'];
  for (let person = 0; person < people; person++) {
    const colour = [0, 1, 2].map(() => 40 + 175 * random());
    for (let number = 1; number <= 4; number++) {
      const file = join(folder, 'set', 'faces', `P${person}`, `P${person}_000${number}.png`);
      mkdirSync(dirname(file), { recursive: true });
      const [r, g, b] = colour.map((value) => Math.round(value + 60 * random())) as [number, number, number];
      const dark = {
        input: Buffer.alloc(3 * 30 * 112, 20 * number),
        raw: { width: 30, height: 112, channels: 3 as const },
      };
      const picture = sharp({ create: { width: 112, height: 112, channels: 3, background: { r, g, b } } });
      await picture
        .composite([{ ...dark, left: 0, top: 0 }])
        .png()
        .toFile(file);
      scores.push(`faces/P${person}/P${person}_000${number}.png,${random()}`);
    }
  }
  const lines = Array.from({ length: 10 }, (_, fold) => {
    const [a, b] = [2 * fold, 2 * fold + 1];
    const [c, d] = [(a + 2) % people, (b + 2) % people];
    return [`P${a} 1 2`, `P${b} 3 4`, `P${a} 1 P${c} 3`, `P${b} 2 P${d} 4`].join('\n');
  });
  writeFileSync(join(folder, 'set', 'pairs.txt'), `10\t2\n${lines.join('\n')}\n`);
  writeFileSync(join(folder, 'others.csv'), `${scores.join('\n')}\n`);
});
afterAll(() => rmSync(folder, { recursive: true }));

const lab = (...words: string[]) => runIn(folder, 'lab', ...words);
const given = ['--set', 'set', '--aligned', '--models', 'tiny.onnx', '--methods', 'flip', 'shift'];

test('ranks the methods, writes the page, and measures a face once', async () => {
  const { exitCode, out, notes } = await lab(...given, '--scores', 'others.csv', '--report', 'a.html');
  expect(exitCode, notes).toBe(0);
  for (const name of ['magnitude', 'shift', 'depth']) expect(out).toContain(name);
  expect(notes).toContain('set: flip is the same for every pair: left out of the ranking.');
  expect(out).toMatch(/On set with tiny, \w+ tells best that a face will fail/);
  expect(out).toContain('set, scores of tiny: area below FNMR at FMR 0.1');
  expect(out.split('\n').every((line) => line.length <= 80)).toBe(true);
  expect(notes).toContain('Report: a.html');
  const page = readFileSync(join(folder, 'a.html'), 'utf8');
  expect(page).toContain('Quality measures, ranked');
  expect(page).toContain('\\begin{tabular}{lrrrr}');
  expect(page).toContain('| shift |');
  expect(page).toContain('What a quality means');
  expect(page).toContain('How the first row is computed');
  expect(page).toMatch(/scores others\.csv<\/dt><dd>SHA-256 [0-9a-f]{64}/);
  expect(page).toMatch(
    /<pre>magface lab --set set --models tiny\.onnx --methods flip shift --scores others\.csv --aligned/,
  );
  expect(page).toMatch(/model tiny<\/dt><dd>SHA-256 [0-9a-f]{64}/);
  expect(page).toContain('60 images, 40 pairs; images ');

  const kept = readdirSync(join(folder, 'features')).length;
  const again = await lab(...given, '--json', '-q');
  expect(readdirSync(join(folder, 'features')).length).toBe(kept);
  const { measures, meanings, provenance } = JSON.parse(again.out) as {
    readonly measures: readonly Record<string, unknown>[];
    readonly meanings: readonly { readonly reliability: { readonly genuine: number } }[];
    readonly provenance: { readonly measures: object };
  };
  expect(measures.map(({ name }) => name).sort()).toEqual(['magnitude', 'shift']);
  expect(meanings[0]?.reliability.genuine).toBe(20);
  const areas = measures.map(({ paucArea }) => paucArea as number);
  expect(areas).toEqual([...areas].sort((a, b) => a - b));
  expect(Object.keys(provenance.measures)).toEqual(['magnitude', 'flip', 'shift']);
});

test('a suite names sets, models, methods and the scores of a set; flags add to it', async () => {
  const suite =
    'sets: [{ set: set, aligned: true, name: Colours, scores: [others.csv] }]\nmodels: [tiny.onnx]\nmethods: [luminance-mean]\n';
  writeFileSync(join(folder, 'suite.yaml'), suite);
  const { exitCode, out, notes } = await lab('suite.yaml', '--methods', 'shift', '--format', 'csv', '-q');
  expect(exitCode, notes).toBe(0);
  const rows = out.trim().split('\n').slice(1);
  expect(rows.map((row) => row.split(',')[0])).toEqual(['Colours', 'Colours', 'Colours', 'Colours']);
  expect(rows.map((row) => row.split(',')[2]).sort()).toEqual(['depth', 'luminance-mean', 'magnitude', 'shift']);
});

test.each([
  [[], 'Expected a suite file or --set but received neither: give one of them.'],
  [['--set', 'set', 'set', '--pairs', 'set/pairs.txt'], 'Expected one --set with --pairs or --images but received 2'],
  [['--set', 'set', '--methods', 'flipp'], 'Expected a quality method but received flipp: choose from magnitude'],
])('%j exits with 2 and one sentence', async (words, message) => {
  const { exitCode, notes } = await lab(...words);
  expect([exitCode, notes]).toEqual([2, expect.stringContaining(message)]);
});

test('groups: the page and the terminal say whether 50 means the same in each, and the page compares two models', async () => {
  const pairs = readFileSync(join(folder, 'set', 'pairs.txt'), 'utf8')
    .trim()
    .split('\n')
    .slice(1);
  const rows = pairs.map((line, i) => {
    const [a, b, c, d] = line.split(' ');
    const image = (person: string, number: string): string => `faces/${person}/${person}_000${number}.png`;
    const [left, right, same] = d === undefined ? [image(a!, b!), image(a!, c!), 1] : [image(a!, b!), image(c!, d), 0];
    return `${left},${right},${same},${i % 8 < 4 ? 'old' : 'new'}`;
  });
  writeFileSync(join(folder, 'groups.csv'), `left,right,same,camera\n${rows.join('\n')}\n`);
  writeFileSync(
    join(folder, 'two.yaml'),
    'sets: [{ set: set, pairs: groups.csv, aligned: true }]\nmodels: [{ name: one, model: tiny.onnx }, { name: two, model: tiny.onnx }]\nmethods: [shift, luminance-mean]\n',
  );
  const { exitCode, out, notes } = await lab('two.yaml', '--report', 'two.html', '-q');
  expect(exitCode, notes).toBe(0);
  expect(out).toContain('does 50 mean the same FNMR in every camera?');
  expect(out).toMatch(/Which number tells that a face will fail\? On average/);
  const page = readFileSync(join(folder, 'two.html'), 'utf8');
  expect(page).toContain('What each measure attains');
  expect(page).toContain('Does 50 mean the same FNMR in every camera?');
  expect(page).toContain('aria-label="Reliability: share of genuine pairs accepted, by predicted probability"');
  expect(page).toContain('article { break-before: page; }');
  for (const name of ['magnitude', 'shift', 'luminance-mean']) {
    expect(page).toContain(`data-line="${name}"`);
    expect(page).toMatch(new RegExp(`<path[^>]* aria-label="${name}"`));
  }
});

test('missing scores are a failure that names the image', async () => {
  writeFileSync(join(folder, 'few.csv'), 'name,x\nfaces/P0/P0_0001.png,1\n');
  const { exitCode, notes } = await lab(...given, '--scores', 'few.csv');
  expect(exitCode).toBe(1);
  expect(notes).toMatch(
    /few\.csv \(at byte 0\): Expected a quality for every feature but "faces\/P\d+\/P\d+_000\d\.png" has none/,
  );
});

test('a set or a file of scores that is not there is named before anything is embedded', async () => {
  const { exitCode, notes } = await lab('--set', 'nowhere', '--models', 'tiny.onnx', '--methods', 'flip');
  expect([exitCode, notes]).toEqual([1, expect.stringContaining('Expected a folder or a .bin file at nowhere')]);
  const scores = await lab(...given, '--scores', 'nowhere.csv');
  expect([scores.exitCode, scores.notes]).toEqual([1, expect.stringContaining('Expected scores at nowhere.csv')]);
});

test('a method that does not fit the model is a failure of that model alone', async () => {
  const { exitCode, notes } = await lab('--set', 'set', '--aligned', '--models', 'tiny.onnx', '--methods', 'dropout');
  expect(exitCode).toBe(1);
  expect(notes).toContain('to end in a linear layer (whose input dropout can vary) but it does not');
});

test('quality --methods adds a column for each method, and a field in JSON', async () => {
  const words = [
    'quality',
    'set/faces/P0',
    '--aligned',
    '--model',
    'tiny.onnx',
    '--methods',
    'flip',
    'luminance-mean',
    '-q',
  ];
  const { out, exitCode } = await runIn(folder, ...words);
  expect(exitCode).toBe(0);
  expect(out.split('\n')[0]).toMatch(/magnitude +quality +flip +luminance-mean +reasons/);
  const rows = JSON.parse((await runIn(folder, ...words, '--json')).out) as { measures: Record<string, number> }[];
  expect(rows).toHaveLength(4);
  for (const { measures } of rows) expect(Object.keys(measures)).toEqual(['flip', 'luminance-mean']);
  const wrong = await runIn(folder, ...words.slice(0, -1), 'flipp');
  expect([wrong.exitCode, wrong.out]).toEqual([2, '']);
  expect(wrong.notes).toContain('Expected a quality method but received flipp: choose from magnitude');
});
