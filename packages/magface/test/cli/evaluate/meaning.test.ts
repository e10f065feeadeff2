/** `evaluate reject` at a start FNMR, and what quality means: by `evaluate pairs` on features of known lengths. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { randomStream } from '../../../src/random.ts';
import { runIn } from './evaluate-run.ts';

const root = mkdtempSync(join(tmpdir(), 'meaning '));
afterAll(() => rmSync(root, { recursive: true }));

/** 200 people of two faces each. Short features fail in each camera, and in the old camera most of the others too. */
beforeAll(() => {
  const random = randomStream(4);
  const faces: string[] = [];
  const pairs: string[] = ['left,right,same,camera'];
  for (let person = 0; person < 200; person++) {
    const camera = person % 2 === 0 ? 'new' : 'old';
    const length = 10 + 10 * random();
    const fails = random() < (length < 13 ? 0.9 : camera === 'old' ? 0.5 : 0.02);
    const vector = (axis: number): string =>
      Array.from({ length: 8 }, (_, d) => (length * (d === axis ? 1 : 0.2 * random())).toFixed(5)).join(' ');
    faces.push(`P${person}/1 ${vector(person % 8)}`, `P${person}/2 ${vector((person + (fails ? 1 : 0)) % 8)}`);
    pairs.push(`P${person}/1,P${person}/2,1,${camera}`);
    pairs.push(`P${person}/1,P${(person + 3) % 200}/1,0,${camera}`);
  }
  writeFileSync(join(root, 'f.list'), `${faces.join('\n')}\n`);
  writeFileSync(join(root, 'p.csv'), `${pairs.join('\n')}\n`);
});

const run = (command: string, ...words: string[]) =>
  runIn(root, 'evaluate', command, '--features', 'f.list', '--pairs', 'p.csv', ...words);

test.each(['pairs', 'genuine', 'templates'])('reject at a start FNMR, rates of %s', async (unit) => {
  const words = ['--start-fnmr', '0.2', '--by', unit, '--rates', '0.1,0.2,0.3,0.4'];
  const { out } = await run('reject', ...words, '--json');
  const record = JSON.parse(out) as Record<string, unknown> & { fnmr: number[]; areas: { paucLimit: number }[] };
  expect(record).toMatchObject({ threshold: 'start', startFnmr: 0.2, unit });
  expect(record.fnmr[0]).toBeCloseTo(0.2, 2);
  expect(record.fnmr.at(-1)).toBeLessThan(record.fnmr[0]!);
  expect(record.areas.map(({ paucLimit }) => paucLimit)).toEqual([0.2, 0.3]);
  const lines = (await run('reject', ...words)).out.split('\n');
  expect(lines[0]).toMatch(/^FNMR at a start FNMR of 0\.2 \(FMR \S+\), fixed threshold; pairs left by magnitude$/);
  expect(lines.find((line) => line.startsWith('pAUC × 10³ to 20 %'))).toBeDefined();
  expect(lines.at(-2)).toContain(
    `of ${{ pairs: 'the pairs', genuine: 'the genuine pairs', templates: 'the faces' }[unit]} rejected`,
  );
});

test('a report has pairs only, at a start FNMR as well', async () => {
  expect((await run('reject', '--by', 'templates', '--report', 'r.html')).notes).toContain(
    'Expected --by pairs for a report',
  );
  const { exitCode, notes } = await run(
    'reject',
    '--start-fnmr',
    '0.2',
    '--rates',
    '0.1,0.2,0.3',
    '--report',
    'r.html',
    '-q',
  );
  expect({ exitCode, notes }).toEqual({ exitCode: 0, notes: '' });
});

test('tells that quality promises too much for one camera, and how far scores are probabilities', async () => {
  const words = ['--folds', '2', '--far', '0.1', '--reliability', '4', '--scale', '12,1'];
  const { out } = await run('pairs', ...words, '--json');
  const { reliability, fairness } = JSON.parse(out) as {
    reliability: { genuine: number; fitted: { ece: number; bins: object[] }; score: { ece: number } };
    fairness: { camera: { p: number; groups: { group: string; ratio: number; ratioInterval: [number, number] }[] } };
  };
  expect(reliability.genuine).toBe(200);
  expect(reliability.fitted.bins).toHaveLength(4);
  expect(reliability.fitted.ece).toBeLessThan(reliability.score.ece);
  expect(fairness.camera.p).toBeLessThan(0.05);
  const ratio = (name: string): number => fairness.camera.groups.find(({ group }) => group === name)!.ratio;
  expect(ratio('old')).toBeGreaterThan(1.2);
  expect(ratio('new')).toBeLessThan(0.8);
  const text = (await run('pairs', ...words)).out;
  expect(text).toContain('Quality as the probability that a genuine pair is accepted at FMR 0.1, 200 pairs:');
  expect(text).toMatch(/Does quality mean the same FNMR in every camera\? p 0\.0\d\d: it does not/);
  expect((await run('pairs', '--scale', '23')).notes).toContain('Expected centre and width of a quality scale');
});
