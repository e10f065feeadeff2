/**
 * Mutation testing: breaks twenty lines of each part of the core, one at a time, in a copy of the project, and reports the
 * share that the tests detect. `npx tsx bench/mutation.ts [--per 20] [--seed 1] [PART...]`; `--again` repeats only the
 * mutations that survived in the present result, after tests were added.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { randomStream } from '../packages/magface/src/random.ts';
import { type Mutation, mutationsOf } from './support/mutate.ts';
import { writeResult } from './support/result.ts';

const root = fileURLToPath(new URL('../', import.meta.url));
const source = 'packages/magface/src/';
const parts: Readonly<Record<string, { readonly files: readonly string[]; readonly tests: readonly string[] }>> = {
  loss: { files: ['train/model/magface-loss.ts'], tests: ['magface-loss'] },
  alignment: { files: ['align.ts'], tests: ['test/align.test'] },
  quality: { files: ['quality.ts', 'calibrate.ts'], tests: ['test/quality', 'test/calibrate'] },
  evaluation: {
    files: ['verification', 'roc', 'reject', 'templates', 'identification', 'bootstrap'].map((n) => `eval/${n}.ts`),
    tests: ['test/eval'],
  },
  formats: {
    files: ['safetensors-header', 'zip', 'pickle-machine', 'record-io', 'npy', 'tar-shard'].map(
      (n) => `format/${n}.ts`,
    ),
    tests: ['test/format'],
  },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { per: { type: 'string' }, seed: { type: 'string' }, again: { type: 'boolean' } },
});
const per = Number(values.per ?? 20);
const seed = Number(values.seed ?? 1);
const random = randomStream(seed);

/** Equivalent mutations, with reasons. They are not counted. */
const equivalent: Readonly<Record<string, string>> = {
  'train/model/magface-loss.ts  -1  ->  2': 'cosines lie within rounding of -1, and the sine is held from below anyway',
  'eval/templates.ts  row * 2 ** 30  ->  /': 'the keys stay one for each pair of row and medium',
  'eval/verification.ts  if (same[pair] !== 1) right++;  ->  !(same[pair] !== 1)':
    'the same number is added to all thresholds, of which the best is taken',
  'eval/reject.ts  i < rates.length  ->  <=': 'one step further there is no error rate, which ends in null as well',
};

interface Result {
  readonly mutations: number;
  readonly noticed: number;
  /** Share detected, without equivalent mutations. */
  readonly share: number;
  readonly survived: readonly string[];
  /** Equivalent mutations, with reasons. */
  readonly equivalent: readonly string[];
}

type Chosen = Mutation & { readonly file: string };
const named = ({ file, line, before, after }: Chosen): string => `${file}:${line}  ${before}  ->  ${after}`;
const reasonOf = (name: string): string | undefined => equivalent[name.replace(/:\d+/, '')];
const resultFile = join(root, 'bench/results/mutation.json');
const last: Readonly<Record<string, unknown>> = values.again ? JSON.parse(readFileSync(resultFile, 'utf8')) : {};

/** A number of mutations of a part, spread over its files, each on a separate line. */
function choose(files: readonly string[], again?: Result): readonly Chosen[] {
  const all = files.flatMap((file) =>
    mutationsOf(file, readFileSync(join(root, source, file), 'utf8')).map((mutation) => ({ ...mutation, file })),
  );
  if (again) return all.filter((mutation) => again.survived.includes(named(mutation)));
  const shuffled = all.map((mutation) => ({ mutation, key: random() })).sort((a, b) => a.key - b.key);
  const seen = new Set<string>();
  const one = shuffled
    .map(({ mutation }) => mutation)
    .filter(({ file, line }) => {
      const place = `${file}:${line}`;
      return !seen.has(place) && seen.add(place);
    });
  return one.slice(0, per);
}

const folder = mkdtempSync(join(tmpdir(), 'magface-mutation-'));
const copy = join(folder, 'main');
execFileSync('git', ['worktree', 'add', '--detach', '-q', copy], { cwd: root });
// The shared data and the packages stay at the same relative paths.
symlinkSync(join(root, '../shared'), join(folder, 'shared'));
symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
for (const name of ['magface', 'torch']) {
  const nested = join('packages', name, 'node_modules');
  if (existsSync(join(root, nested))) symlinkSync(join(root, nested), join(copy, nested));
}
const test = (tests: readonly string[]): boolean =>
  spawnSync('node', ['node_modules/vitest/vitest.mjs', 'run', '--bail=1', '--testTimeout=60000', ...tests], {
    cwd: copy,
    timeout: 300_000,
  }).status === 0;

function resultOf(mutations: number, all: readonly string[]): Result {
  const survived = all.filter((name) => reasonOf(name) === undefined);
  const same = all.filter((name) => reasonOf(name) !== undefined);
  const noticed = mutations - all.length;
  const share = noticed / (mutations - same.length);
  return { mutations, noticed, share, survived, equivalent: same.map((name) => `${name}: ${reasonOf(name)}`) };
}

const results: Record<string, unknown> = {};
try {
  for (const [part, { files, tests }] of Object.entries(parts)) {
    if (positionals.length > 0 && !positionals.includes(part)) continue;
    if (!test(tests)) throw new Error(`${part}: expected the tests to pass before anything is changed`);
    const before = last[part] as Result | undefined;
    const chosen = choose(files, before);
    const survived: string[] = [];
    for (const mutation of chosen) {
      const path = join(copy, source, mutation.file);
      const original = readFileSync(path, 'utf8');
      writeFileSync(path, mutation.text);
      if (test(tests)) survived.push(named(mutation));
      writeFileSync(path, original);
    }
    results[part] = resultOf(before?.mutations ?? chosen.length, survived);
    process.stdout.write(`${part}: ${JSON.stringify(results[part], null, 2)}\n`);
  }
} finally {
  execFileSync('git', ['worktree', 'remove', '--force', copy], { cwd: root });
  rmSync(folder, { recursive: true });
}
writeResult('mutation', {
  seed,
  ...Object.fromEntries(Object.keys(parts).map((part) => [part, results[part] ?? last[part]])),
});
