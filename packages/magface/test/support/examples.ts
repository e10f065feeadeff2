/** The `@example` blocks of the sources' docstrings, and a folder with the files that they name. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { fixtureFile, fixtureFolder } from './fixtures.ts';
import { samplePhoto } from './sample-photos.ts';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const sources = fileURLToPath(new URL('../../src/', import.meta.url));

/** A program of a docstring. */
export interface DocExample {
  /** Relative to `src`. */
  readonly file: string;
  readonly title: string;
  readonly program: string;
}

/** All programs of a docstring's examples, in order; prose between them is left out. */
export function examplesIn(text: string, file: string): DocExample[] {
  const comments = [...text.matchAll(/\/\*\*.*?\*\//gs)].map(([comment]) => comment.replaceAll(/^ *\* ?/gm, ''));
  return comments.flatMap((comment) =>
    comment
      .split(/^@example */m)
      .slice(1)
      .map((part) => ({
        file,
        title: part.slice(0, part.indexOf('\n')).trim(),
        program: [...part.matchAll(/^```ts\n(.*?)^```/gms)].map(([, body]) => body!).join(''),
      })),
  );
}

/** Every example of the sources. */
export function docExamples(): DocExample[] {
  const files = readdirSync(sources, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  return files
    .sort()
    .flatMap((name) => examplesIn(readFileSync(join(sources, name), 'utf8'), name.replaceAll('\\', '/')));
}

/** Within the project, so that `magface/eval` is found as from anywhere in it. */
const cache = join(root, 'node_modules/.cache/');

/** @returns a new folder with all files that examples name */
export function exampleFolder(): string {
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'magface-examples-'));
  const copy = (from: string, to: string): void => cpSync(from, join(folder, to), { recursive: true });
  copy(fixtureFile('golden/eval/features.list'), 'features.list');
  copy(fixtureFile('golden/eval/pair.list'), 'pair.list');
  copy(fixtureFile('golden/eval/ijb/features.list'), 'ijb/features.list');
  copy(fixtureFolder('golden/eval/ijb/meta'), 'ijb/meta');
  copy(fixtureFile('torch/distributed.pth'), 'weights.pth');
  copy(fileURLToPath(new URL('../fixtures/alignment/', import.meta.url)), 'aligned');
  writeFileSync(
    join(folder, 'aligned/pairs.csv'),
    'left,right,same\n0.png,1.png,1\n0.png,2.png,0\n3.png,4.png,1\n3.png,5.png,0\n',
  );
  copy(samplePhoto(1), 'ann.jpg');
  copy(samplePhoto(6), 'bea.jpg');
  writeFileSync(join(folder, 'package.json'), '{ "type": "module", "private": true }');
  return folder;
}

/** Runs a program in a process of its own, on the built package: that starts three times faster than the sources. */
export function runExample(program: string, folder: string): { readonly status: number | null; readonly text: string } {
  const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 };
  writeFileSync(join(folder, 'example.js'), ts.transpileModule(program, { compilerOptions }).outputText);
  const { status, stdout, stderr } = spawnSync(process.execPath, ['example.js'], { cwd: folder, encoding: 'utf8' });
  return { status, text: `${stdout}${stderr}` };
}
