/** The generated file is what the generator writes from the allow-list today. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { torchVersion } from '@magface/torch';
import { expect, test } from 'vitest';
import { describeWithTorch } from './support/with-torch.ts';

const path = (name: string): string => fileURLToPath(new URL(`../${name}`, import.meta.url));
const read = (name: string): string => readFileSync(path(name), 'utf8');

test('every operator of ops.txt is in ops.gen.ts, and no other', () => {
  const listed = [...read('ops.txt').matchAll(/aten::[\w.]+/g)].map(String).sort();
  const generated = [...read('src/ops.gen.ts').matchAll(/operator\('(.+?)'\)/g)].map((hit) => hit[1]).sort();
  expect(generated).toEqual(listed);
});

describeWithTorch('the generator', () => {
  test('writes the current file with the libtorch it was last run with', ({ skip }) => {
    const [, version] = /libtorch ([\d.]+):/.exec(read('src/ops.gen.ts')) ?? [];
    if (version !== torchVersion()) skip(`ops.gen.ts is of libtorch ${version}, here is ${torchVersion()}`);
    const tsx = fileURLToPath(new URL('../../../node_modules/tsx/dist/cli.mjs', import.meta.url));
    const written = execFileSync(process.execPath, [tsx, path('scripts/gen-ops.ts'), '--stdout'], { encoding: 'utf8' });
    expect(written).toBe(read('src/ops.gen.ts'));
  });
});
