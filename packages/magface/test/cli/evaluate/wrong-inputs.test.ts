/** What the official code skips in silence is an error here, or a limit that is said: one case a line, by command. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runIn } from './evaluate-run.ts';

const folder = mkdtempSync(join(tmpdir(), 'wrong inputs '));
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

const faces = ['a/1 2 0', 'a/2 3 1', 'b/1 0 2', 'b/2 1 3', 'c/1 -2 0', 'c/2 -3 1'];
const list = (lines: readonly string[]): string => `${lines.join('\n')}\n`;
const official = 'a/1 a/2 1\nb/1 b/2 1\na/1 c/1 0\nb/1 c/2 0\n';

beforeAll(() => {
  file('features.list', list(faces));
  file('odd.list', list(faces.slice(0, 5)));
  file('uneven.list', list([...faces.slice(0, 5), 'c/2 -3 1 4']));
  file('zero.list', list([...faces.slice(0, 5), 'c/2 0 0']));
  file('pairs.list', official);
  file('three.list', '1\n0\n1\n');
  file('unknown.list', `${official}a/1 d/1 0\n`);
  file('genuine.list', 'a/1 a/2 1\nb/1 b/2 1\nc/1 c/2 1\n');
  file('label.list', `${official}a/1 b/1 yes\n`);
  file('empty.list', '');
  file('ijbc_face_tid_mid.txt', list(['a/1 1 1', 'a/2 1 2', 'b/1 2 3', 'b/2 2 4', 'c/1 3 5', 'c/2 3 6']));
  file('ijbc_template_pair_label.txt', '1 1 1\n1 2 0\n2 3 0\n2 2 1\n');
});
afterAll(() => rmSync(folder, { recursive: true }));

const pairwise: Readonly<Record<string, readonly string[]>> = {
  pairs: ['--folds', '2', '--far', '0.5'],
  reject: ['--fmr', '0.5'],
  report: ['--folds', '2', '--output', join(folder, 'page.html')],
};

describe.each(Object.entries(pairwise))('evaluate %s', (command, flags) => {
  test.each([
    ['a pair that names an image without features', 'features', 'unknown', [], '"d/1" of pair 5 has none'],
    [
      'an odd number of feature lines',
      'odd',
      'three',
      [],
      'Expected 6 feature lines for 3 pairs .* but received 5, an odd number',
    ],
    ['features of different lengths', 'uneven', 'pairs', [], 'line 6|dimension|values'],
    ['a feature of all zeros', 'zero', 'pairs', [], 'received only zeros for "c/2" \\(feature line 6\\)'],
    ['no impostors', 'features', 'genuine', [], 'none of the 3 pairs is impostor \\(label 0\\)'],
    [
      'a label that is none',
      'features',
      'label',
      [],
      'Expected a label 1 \\(same\\) or 0 on line 5 but received "yes"',
    ],
    ['a list without pairs', 'features', 'empty', [], 'the file has no pairs'],
  ] as const)('rejects %s', async (_, features, pairs, more, message) => {
    const data = ['--features', join(folder, `${features}.list`), '--pairs', join(folder, `${pairs}.list`)];
    const { exitCode, out, notes } = await runIn(folder, 'evaluate', command, ...data, ...flags, ...more);
    expect(notes).toMatch(new RegExp(message));
    expect([exitCode, out]).toEqual([2, '']);
  });
});

const data = (): string[] => ['--features', join(folder, 'features.list'), '--pairs', join(folder, 'pairs.list')];

test.each([
  ['pairs', ['--folds', '1'], 'Expected 2 to 4 folds for 4 pairs but received 1'],
  [
    'report',
    ['--folds', '1', '--output', join(folder, 'page.html')],
    'Expected at least 10 impostor|Expected 2 to 4 folds',
  ],
  ['reject', [], 'Expected at least 1000 impostor pairs for a rate of 0.001 but received 2'],
  ['reject', ['--threshold', 'official', '--fmr', '0.002'], 'Expected 0.1, 0.01, 0.001 … with official thresholds'],
] as const)('evaluate %s %j gives one sentence', async (command, flags, message) => {
  const { exitCode, notes } = await runIn(folder, 'evaluate', command, ...data(), ...flags);
  expect(notes).toMatch(new RegExp(message));
  expect(exitCode).toBe(2);
});

test('evaluate pairs reports a rate with too few impostors, in notes and in JSON', async () => {
  const { exitCode, out, notes } = await runIn(
    folder,
    'evaluate',
    'pairs',
    ...data(),
    '--folds',
    '2',
    '--far',
    '0.001',
    '--json',
  );
  expect(exitCode).toBe(0);
  expect(notes).toContain('FAR 0.001 needs 1000 impostor pairs but there are only 2.');
  expect(JSON.parse(out)).toMatchObject({
    tarAtFar: {},
    limits: [
      'FAR 0.001 needs 1000 impostor pairs but there are only 2.',
      expect.stringMatching(/^2 of 2 folds contain pairs of only one kind/),
    ],
  });
});

describe('evaluate ijb', () => {
  const ijb = (features: string) =>
    runIn(folder, 'evaluate', 'ijb', '--features', join(folder, features), '--meta', folder);

  test.each([
    ['features of fewer images than the list', 'odd.list', {}],
    ['features of different lengths', 'uneven.list', {}],
    [
      'a pair that names a template without images',
      'features.list',
      { 'ijbc_template_pair_label.txt': '1 1 1\n1 9 0\n' },
    ],
    ['no impostors', 'features.list', { 'ijbc_template_pair_label.txt': '1 1 1\n2 2 1\n' }],
    ['a list of other images', 'features.list', { 'ijbc_face_tid_mid.txt': list(['x 1 1', 'y 1 2']) }],
  ] as const)('%s gives one sentence', async (_, features, meta: Readonly<Record<string, string>>) => {
    for (const [name, text] of Object.entries(meta)) file(name, text);
    const { exitCode, notes, out } = await ijb(features);
    expect(notes).toMatch(/Expected /);
    expect(notes).not.toContain('is unexpected');
    expect([exitCode, out]).toEqual([2, '']);
  });
});
