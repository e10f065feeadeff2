/** Generates the pages of docs/ that come from the sources: commands from their definitions, errors from their classes. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import ts from 'typescript';
import { createProgram } from '../../src/cli/program.ts';
import { services } from '../../src/cli/services.ts';
import { flagWords, settingsOf } from '../../src/cli/setting-flags.ts';
import { allFlags, needs, runFlags } from '../../src/cli/train-flags.ts';
import { flagOf } from '../../src/settings/flag-names.ts';
import { settledFlags } from '../../src/train/settings/config.ts';
import { defaultWords, modes, modesOf } from '../../src/train/settings/modes.ts';

const context = () => ({
  stdin: new PassThrough(),
  stdout: Object.assign(new PassThrough(), { columns: 80 }),
  stderr: Object.assign(new PassThrough(), { columns: 80 }),
  cwd: process.cwd(),
  env: {},
  signal: new AbortController().signal,
  services,
});

/** The command line with every command loaded. */
export async function wholeProgram(): Promise<Command> {
  const names = (await createProgram([], context(), () => {})).commands.map((command) => command.name());
  return createProgram(names, context(), () => {});
}

const made = (from: string): string => `<!-- Made from ${from} by \`npm run docs\`; changes here are lost. -->\n`;

/** docs/cli.md: the help of each command at 80 columns. */
export async function cliPage(): Promise<string> {
  const sections = (command: Command, path: string): string => {
    let help = '';
    command.configureOutput({ writeOut: (text) => (help += text), getOutHelpWidth: () => 80 }).outputHelp();
    const own = `## ${path}\n\n\`\`\`text\n${help.trimEnd()}\n\`\`\`\n`;
    return [own, ...command.commands.map((child) => sections(child, `${path} ${child.name()}`))].join('\n');
  };
  return `# Commands\n\n${made('`packages/magface/src/cli/`')}\n${sections(await wholeProgram(), 'magface')}`;
}

const cell = (text: string): string => text.replaceAll('|', '\\|');

/** docs/settings.md: every flag of `magface train`, with its default in each mode, and those of all other commands. */
export async function settingsPage(): Promise<string> {
  const rows = Object.entries(allFlags).map(([name, setting]) => {
    const { official, says } = setting;
    const inMode = modes.map((mode) => {
      if (name === 'init' && (mode === 'weights' || mode === 'onnx')) return 'required';
      return modesOf(setting).includes(mode) ? (defaultWords(setting, mode) ?? 'applies') : 'rejected';
    });
    const spellings = official === undefined ? '' : `\`--${official}\``;
    const yaml = name in runFlags ? '' : `\`${name}\``;
    return `| ${[`\`--${flagOf(name)}\``, yaml, spellings, ...inMode, cell([says, needs(setting) ?? []].flat().join('; '))].join(' | ')} |`;
  });
  const settled = Object.entries(settledFlags).map(
    ([name, { value, instead }]) => `- \`--${name} ${value}\` is accepted, every other value is rejected: ${instead}.`,
  );
  return [
    '# Settings',
    '',
    made('the tables in `packages/magface/src/`'),
    '## Settings of `magface train`',
    '',
    'They are defined in `src/train/settings/model-settings.ts`, `run-settings.ts` and `finetune/finetune-settings.ts`.',
    'A cell shows the default of the setting in that mode. If you pass a setting in a mode that rejects it, by flag or in the',
    'YAML file, the command names it and exits with 2. The mode follows from `--init` and `--nproc`:',
    '',
    '- **from scratch**: no `--init`. A network of `--arch` starts with random weights.',
    '- **from weights**: `--init` names a `.pth`, `.pt`, `.ckpt` or `.safetensors`, whose weights the network starts with.',
    '- **ONNX**: `--init` names any other model, whose own graph is finetuned: see [finetuning.md](finetuning.md).',
    '- **processes**: the first two with `--nproc`, or under a launcher that sets `WORLD_SIZE`: see [scaling.md](scaling.md). The',
    '  mode ONNX may have several processes too; in a single one it rejects `--max-restarts`, `--sync-batch-norm` and',
    '  `--collective-timeout`.',
    '',
    '| flag | in YAML | official | from scratch | from weights | ONNX | processes | meaning |',
    '|---|---|---|---|---|---|---|---|',
    ...rows,
    '',
    'Two official flags are accepted only with the value that always applies:',
    '',
    ...settled,
    '',
    '## Settings of the other commands',
    '',
    'Each has one definition, in the table of its command in `src/cli/` or in a table that commands share (`cli/options.ts`,',
    '`cli/evaluate/options.ts`, `serve/options.ts`). Commands with `--config` read any of their settings from a YAML file too,',
    'by the name in camelCase; a flag overrides the file, and the file a default.',
    '',
    '| flag | default | commands | meaning |',
    '|---|---|---|---|',
    ...(await sharedRows()),
    '',
  ].join('\n');
}

/** A row for each setting of the other commands, with the commands that take it. */
async function sharedRows(): Promise<readonly string[]> {
  const commands = new Map<string, string[]>();
  const all: string[] = [];
  const add = (command: Command, path: string): void => {
    const settings = path === 'train' ? [] : Object.entries(settingsOf(command));
    if (settings.length > 0) all.push(path);
    for (const [name, setting] of settings) {
      const fallback = defaultWords(setting, 'nothing') ?? '';
      const row = JSON.stringify([`\`${flagWords(name, setting)}\``, cell(fallback), cell(setting.says)]);
      commands.set(row, [...(commands.get(row) ?? []), path]);
    }
    for (const child of command.commands) add(child, `${path} ${child.name()}`.trim());
  };
  add(await wholeProgram(), '');
  return [...commands].map(([row, paths]) => {
    const [flag, fallback, says] = JSON.parse(row) as [string, string, string];
    const others = all.filter((path) => !paths.includes(path));
    const where = others.length > 7 ? paths.join(', ') : ['all', ...others].join(', ').replace(', ', ' but ');
    return `| ${cell(flag)} | ${fallback} | ${where} | ${says} |`;
  });
}

/** docs/errors.md: each error class of both packages, with its codes and docstring. */
export function errorsPage(): string {
  const head = ['| class | codes | fields | when |', '|---|---|---|---|'];
  return [
    '# Errors',
    '',
    made('`packages/magface/src/errors.ts` and `packages/torch/src/errors.ts`'),
    'Errors that the packages throw on purpose have a `code` and fields, which are meant for programs; the `message` is one',
    'sentence made of the fields. The command line exits with 1 if inputs failed, with 3 if a process of a training run was',
    'lost, with 130 if interrupted, and with 2 for all other errors.',
    '',
    '## magface',
    '',
    'Every error that this package throws on purpose is a `MagfaceError`. These fields make the message; `remedy` is always',
    'there, the others if they apply:',
    '',
    '| field | meaning |',
    '|---|---|',
    ...faultRows(),
    '',
    '    Expected EXPECTED but received RECEIVED: REMEDY.',
    '    Expected EXPECTED but SUBJECT PROBLEM: REMEDY.',
    '    Expected EXPECTED but PROBLEM: REMEDY.',
    '    PROBLEM: REMEDY.',
    '',
    'A `FormatError` begins with the file and the byte. `toJSON()` gives all fields, `code` and `message`; so do errors that come from',
    'a worker. `--json` and the answers of the service contain `code`, `message` and these fields.',
    '',
    ...head,
    ...errorRows('../../src/errors.ts', { MagfaceError: plainCodes() }),
    '',
    'An abort throws the reason of its signal. Errors of the system stay errors of Node, such as `ENOSPC` if the disk is',
    'full.',
    '',
    '## @magface/torch',
    '',
    'This package does not depend on `magface`, so its errors have a `code` but are not `MagfaceError`s. All but `TorchError`, which',
    'quotes libtorch, have the fields `expected`, `problem` and `remedy`. `magface/train` passes them on; the command line converts',
    'the last two to a `MagfaceError` with the same code.',
    '',
    ...head,
    ...errorRows('../../../torch/src/errors.ts'),
    '',
    "If `@magface/torch` is not installed, `import 'magface/train'` fails with Node's `ERR_MODULE_NOT_FOUND`, which names the",
    "package, because a module cannot catch a failed import of its own. To make it optional, use `await import('magface/train')`",
    'in a `try` block. The engine `torch` of `MagFace.load` throws `libtorch_missing`.',
    '',
  ].join('\n');
}

/** They make the message of every error. */
const faultFields = ['subject', 'expected', 'received', 'problem', 'remedy'];

/** The fields of a fault with their docstrings. */
function faultRows(): string[] {
  const tree = parsed(fileURLToPath(new URL('../../src/fault.ts', import.meta.url)));
  return tree.statements
    .filter(ts.isInterfaceDeclaration)
    .filter(({ name }) => name.text === 'Fault')
    .flatMap(({ members }) => members.map((member) => `| ${code([member.name!.getText(tree)])} | ${docOf(member)} |`));
}

const isExported = ({ modifiers }: ts.ClassDeclaration): boolean =>
  modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) === true;

/** The docstring of a declaration on one line. */
const docOf = (node: ts.Node): string =>
  ts
    .getJSDocCommentsAndTags(node)
    .map((doc) => ts.getTextOfJSDocComment(doc.comment) ?? '')
    .join(' ')
    .replace(/\s+/g, ' ');

/** @param further - codes of a class that are used outside its file */
function errorRows(path: string, further: Readonly<Record<string, readonly string[]>> = {}): string[] {
  const tree = parsed(fileURLToPath(new URL(path, import.meta.url)));
  const codes = new Map<string, readonly string[]>();
  const rows: string[] = [];
  for (const node of tree.statements) {
    if (ts.isTypeAliasDeclaration(node)) codes.set(node.name.text, stringsIn(node));
    if (!ts.isClassDeclaration(node) || !node.name || !isExported(node)) continue;
    const own = stringsIn(node).filter((text) => /^[a-z]+(_[a-z]+)+$/.test(text));
    const alias = [...codes.keys()].find((name) => node.getText(tree).includes(`declare readonly code: ${name}`));
    const all = alias === undefined ? [...own, ...(further[node.name.text] ?? [])] : (codes.get(alias) ?? []);
    const fields = node.members.filter(ts.isPropertyDeclaration).map((member) => member.name.getText(tree));
    const extra = fields.filter((name) => !['name', 'code', ...faultFields].includes(name));
    const cells = [`\`${node.name.text}\``, code(all), code(extra), docOf(node)];
    rows.push(`| ${cells.join(' | ')} |`);
  }
  return rows;
}

/** Codes of errors without their own class, sorted. */
function plainCodes(): readonly string[] {
  const root = fileURLToPath(new URL('../../src/', import.meta.url));
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  const made = /\bnew MagfaceError\(\s*'(\w+)'/g;
  const codes = files.flatMap((file) =>
    [...readFileSync(join(root, file), 'utf8').matchAll(made)].map(([, one]) => one!),
  );
  return [...new Set(codes)].sort();
}

const parsed = (file: string): ts.SourceFile =>
  ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ES2022, true);

const code = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(', ') || '-';

function stringsIn(node: ts.Node): readonly string[] {
  const found: string[] = [];
  const visit = (child: ts.Node): void => {
    if (ts.isStringLiteral(child)) found.push(child.text);
    ts.forEachChild(child, visit);
  };
  visit(node);
  return found;
}
