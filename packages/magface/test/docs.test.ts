/** The documentation says what is true: made pages are current, commands parse, programs have the right types. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import ts from 'typescript';
import { expect, test } from 'vitest';
import { backbonesPage } from './support/backbone-page.ts';
import { docExamples } from './support/examples.ts';
import { cliPage, errorsPage, settingsPage, wholeProgram } from './support/reference-docs.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const read = (file: string): string => readFileSync(root + file, 'utf8');
const pages = ['README.md', 'packages/magface/README.md', ...readdirSync(`${root}docs`).map((name) => `docs/${name}`)];
const written = pages.filter((name) => name.endsWith('.md') && name !== 'docs/cli.md');

/** The fenced blocks of a page in one of these languages; a block without one is for the shell. */
function blocks(page: string, languages: readonly string[]): readonly string[] {
  const fences = read(page).matchAll(/^```([\w-]*)[^\n]*\n(.*?)^```/gms);
  return [...fences].filter(([, language]) => languages.includes(language ?? '')).map(([, , body]) => body ?? '');
}

/** `magface …` lines of shell blocks, with lines that end in a backslash joined. */
const commandsOf = (page: string): readonly string[] =>
  blocks(page, ['', 'sh', 'bash', 'console'])
    .flatMap((block) => block.replace(/\\\n\s*/g, ' ').split('\n'))
    .map((line) => line.replace(/^(\$ )?(npx )?/, ''))
    .filter((line) => line.startsWith('magface '));

/** Splits as a shell does, so far as documentation needs it; the brackets of what may be left out go. */
function words(line: string): readonly string[] {
  const found: string[] = [];
  for (const [word] of line.replace(/[[\]…]/g, '').matchAll(/'[^']*'|"[^"]*"|[^\s'"]+/g)) {
    if (/^(#|\||>|&|;|2>)/.test(word)) break;
    found.push(word.replace(/^['"]|['"]$/g, ''));
  }
  return found.slice(1);
}

function disarm(command: Command): void {
  command.action(() => {}).exitOverride();
  command.commands.forEach(disarm);
}

test('docs/cli.md, docs/errors.md and docs/settings.md match the sources (otherwise: npm run docs)', async () => {
  expect(read('docs/cli.md')).toBe(await cliPage());
  expect(read('docs/errors.md')).toBe(errorsPage());
  expect(read('docs/settings.md')).toBe(await settingsPage());
  expect(read('docs/backbones.md')).toBe(backbonesPage());
});

test('the help of every command fits into 80 columns', async () => {
  const blocks = [...(await cliPage()).matchAll(/^```[a-z]*\n(.*?)^```/gms)].map(([, block]) => block!);
  expect(blocks.length).toBeGreaterThan(20);
  expect(blocks.flatMap((block) => block.split('\n')).filter((line) => line.length > 80)).toEqual([]);
});

test.each(written)('every magface command in %s exists, with its options', async (page) => {
  for (const line of commandsOf(page)) {
    const program = await wholeProgram();
    program.commands.forEach(disarm);
    if (/ (--help|--version)$/.test(line) || words(line)[0] === words(line)[0]?.toUpperCase()) continue;
    await expect(program.parseAsync([...words(line)], { from: 'user' }), line).resolves.toBeDefined();
  }
});

test('every program in the documentation and in docstrings compiles', () => {
  const sources = new Map<string, string>();
  for (const page of written)
    for (const [i, body] of blocks(page, ['ts', 'typescript']).entries())
      sources.set(`${root}packages/magface/test/${page.replaceAll(/\W/g, '-')}-${i}.ts`, `${body}\nexport {};\n`);
  expect(sources.size).toBeGreaterThan(0);
  for (const [i, { file, program }] of docExamples().entries())
    sources.set(`${root}packages/magface/test/${file.replaceAll(/\W/g, '-')}-${i}.ts`, `${program}\nexport {};\n`);
  const options: ts.CompilerOptions = {
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    allowImportingTsExtensions: true,
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (file) => sources.has(file) || fileExists(file);
  host.getSourceFile = (file, language) => {
    const text = sources.get(file);
    return text === undefined ? getSourceFile(file, language) : ts.createSourceFile(file, text, language, true);
  };
  const program = ts.createProgram([...sources.keys()], options, host);
  const wrong = ts.getPreEmitDiagnostics(program).map((diagnostic) => {
    const text = ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n');
    return `${diagnostic.file?.fileName.split('/').at(-1)}: ${text}`;
  });
  expect(wrong).toEqual([]);
});
