/**
 * Can the tests fail? Twenty lines of each part of the core are made wrong, one at a time, in a copy of the project; the
 * share that its tests notice is the result. `npx tsx bench/mutation.ts [--per 20] [--seed 1] [PART...]`
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
  loss: { files: ['train/magface-loss.ts'], tests: ['train/magface-loss'] },
  alignment: { files: ['align.ts'], tests: ['test/align.test'] },
  quality: { files: ['quality.ts', 'calibrate.ts'], tests: ['test/quality', 'test/calibrate'] },
  evaluation: {
    files: ['verification', 'roc', 'reject', 'templates', 'identification', 'bootstrap'].map((n) => `eval/${n}.ts`),
    tests: ['test/eval'],
  },
  formats: {
    files: ['safetensors-header', 'zip', 'pickle-machine', 'record-io', 'npy', 'tar-header'].map(
      (n) => `format/${n}.ts`,
    ),
    tests: ['test/format'],
  },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { per: { type: 'string' }, seed: { type: 'string' } },
});
const per = Number(values.per ?? 20);
const seed = Number(values.seed ?? 1);
const random = randomStream(seed);

/** So many mutations of a part, spread over its files, each on a line of its own. */
function choose(files: readonly string[]): readonly (Mutation & { readonly file: string })[] {
  const all = files.flatMap((file) =>
    mutationsOf(file, readFileSync(join(root, source, file), 'utf8')).map((mutation) => ({ ...mutation, file })),
  );
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
// The material beside the project and its packages are where they were.
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

const results: Record<string, unknown> = {};
try {
  for (const [part, { files, tests }] of Object.entries(parts)) {
    if (positionals.length > 0 && !positionals.includes(part)) continue;
    if (!test(tests)) throw new Error(`${part}: expected the tests to pass before anything is changed`);
    const survived: string[] = [];
    const chosen = choose(files);
    for (const { file, line, before, after, text } of chosen) {
      const path = join(copy, source, file);
      const original = readFileSync(path, 'utf8');
      writeFileSync(path, text);
      if (test(tests)) survived.push(`${file}:${line}  ${before}  ->  ${after}`);
      writeFileSync(path, original);
    }
    const noticed = chosen.length - survived.length;
    results[part] = { mutations: chosen.length, noticed, share: noticed / chosen.length, survived };
    process.stdout.write(
      `${part}: ${noticed} of ${chosen.length} noticed\n${survived.map((s) => `  ${s}\n`).join('')}`,
    );
  }
} finally {
  execFileSync('git', ['worktree', 'remove', '--force', copy], { cwd: root });
  rmSync(folder, { recursive: true });
}
writeResult('mutation', { seed, ...results });
