/** The project needs nothing beside it: who may look into `../shared`, and what is skipped where something is missing. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const beside = resolve(root, '../shared');
const ours = fileURLToPath(import.meta.url);

/** The one way of the benches and the one way of the tests to research data; the bench of mutations takes the folder along. */
const readers = [/^bench\/(support\/data|mutation)\.ts$/, /^packages\/magface\/test\/support\/shared\.ts$/];

/** These tests also run on research faces, where those are. The same rules are proved on made-up or free pictures. */
const onResearchFaces = [
  'packages/magface/test/eval/pairs.test.ts',
  'packages/magface/test/infer/detector.test.ts',
  'packages/magface/test/reasons.test.ts',
];

/** Sources that name the folder or its helper, parsed. */
const sources = ['packages', 'scripts', 'bench', 'examples']
  .flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(root, folder, name)),
  )
  .filter(
    (file) => /\.(ts|tsx|mts|mjs)$/.test(file) && !/node_modules|[/\\]dist[/\\]|\.d\.ts$/.test(file) && file !== ours,
  )
  .map((file) => ({ file, name: relative(root, file).replaceAll('\\', '/'), text: readFileSync(file, 'utf8') }));

const nodesOf = (file: string, text: string): ts.Node[] => {
  const found: ts.Node[] = [];
  const visit = (node: ts.Node): void => {
    found.push(node);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true));
  return found;
};

test('only one helper of the benches and one of the tests name the folder next to the project', () => {
  const naming = sources.filter(
    ({ file, text }) =>
      text.includes('shared') &&
      nodesOf(file, text).some((node) => {
        if (!ts.isStringLiteralLike(node) && !ts.isTemplateHead(node)) return false;
        if (!/(^|\/)shared(\/|$)/.test(node.text) || existsSync(resolve(dirname(file), node.text))) return false;
        return `${resolve(root, node.text)}/`.startsWith(`${beside}/`) || node.text.includes('../shared/');
      }),
  );
  expect(naming.length).toBeGreaterThan(1);
  expect(naming.map(({ name }) => name).filter((name) => !readers.some((reader) => reader.test(name)))).toEqual([]);
});

test('tests read that folder only inside describeWithShared, whose body is skipped if the folder is absent', () => {
  const users = sources.filter(({ text }) => /from '[./]*support\/shared\.ts'/.test(text));
  expect(users.map(({ name }) => name).filter((name) => !onResearchFaces.includes(name))).toEqual([]);
  const isCallOf = (node: ts.Node, name: string): boolean =>
    ts.isCallExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === name;
  for (const { file, name, text } of users) {
    const calls = nodesOf(file, text).filter((node) => isCallOf(node, 'shared'));
    expect(calls.length, name).toBeGreaterThan(0);
    for (const call of calls) {
      let around: ts.Node | undefined = call;
      while (around !== undefined && !isCallOf(around, 'describeWithShared')) around = around.parent;
      expect(around, `${name}: ${call.parent.getText()}`).toBeDefined();
    }
  }
});

test('docs/testing.md has a row for every test file that skips something, and for no other', () => {
  const skips = /\.(skip|skipIf|runIf|todo)\(|describeWithShared\(['`]/;
  const skipping = sources
    .filter(({ name, text }) => /\/test\//.test(name) && skips.test(text))
    .map(({ name }) => name);
  const table = readFileSync(join(root, 'docs/testing.md'), 'utf8').matchAll(/^\| `([^`]+)` \|/gm);
  expect(Array.from(table, ([, name]) => name!).toSorted()).toEqual(skipping.toSorted());
});
