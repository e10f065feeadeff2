/** The pages of docs/ that are made from the sources: commands from their definitions, errors from their classes. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import ts from 'typescript';
import { createProgram } from '../../src/cli/program.ts';
import { services } from '../../src/cli/services.ts';
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

/** The whole command line with every command loaded; running it does nothing unless a command is given an action. */
export async function wholeProgram(): Promise<Command> {
  const names = (await createProgram([], context(), () => {})).commands.map((command) => command.name());
  return createProgram(names, context(), () => {});
}

const made = (from: string): string => `<!-- Made from ${from} by \`npm run docs\`; changes here are lost. -->\n`;

/** docs/cli.md: the help of each command as a terminal of 80 columns shows it. */
export async function cliPage(): Promise<string> {
  const sections = (command: Command, path: string): string => {
    let help = '';
    command.configureOutput({ writeOut: (text) => (help += text), getOutHelpWidth: () => 80 }).outputHelp();
    const own = `## ${path}\n\n\`\`\`text\n${help.trimEnd()}\n\`\`\`\n`;
    return [own, ...command.commands.map((child) => sections(child, `${path} ${child.name()}`))].join('\n');
  };
  return `# Commands\n\n${made('`packages/magface/src/cli/`')}\n${sections(await wholeProgram(), 'magface')}`;
}

/** docs/settings.md: every flag of `magface train`, with what it is in each mode. */
export function settingsPage(): string {
  const cell = (text: string): string => text.replaceAll('|', '\\|');
  const rows = Object.entries(allFlags).map(([name, setting]) => {
    const { official, says } = setting;
    const inMode = modes.map((mode) => {
      if (name === 'init' && (mode === 'weights' || mode === 'onnx')) return 'required';
      return modesOf(setting).includes(mode) ? (defaultWords(setting, mode) ?? 'applies') : 'refused';
    });
    const spellings = official === undefined ? '' : `\`--${official}\``;
    const yaml = name in runFlags ? '' : `\`${name}\``;
    return `| ${[`\`--${flagOf(name)}\``, yaml, spellings, ...inMode, cell([says, needs(setting) ?? []].flat().join('; '))].join(' | ')} |`;
  });
  const settled = Object.entries(settledFlags).map(
    ([name, { value, instead }]) => `- \`--${name} ${value}\` is taken, every other value refused: ${instead}.`,
  );
  return [
    '# Settings of `magface train`',
    '',
    made('`packages/magface/src/train/` (`model-settings.ts`, `run-settings.ts`, `finetune/finetune-settings.ts`)'),
    'A cell holds the default of the setting in that mode. A setting that is given where it is refused, by flag or in the',
    'YAML file, ends the command with exit code 2 and its name. The mode follows from `--init` and `--nproc`:',
    '',
    '- **nothing**: no `--init`. A network of `--arch` starts with random weights.',
    '- **weights**: `--init` names a `.pth`, `.pt`, `.ckpt` or `.safetensors`, whose weights the network starts with.',
    '- **ONNX**: `--init` names any other model, whose own graph is finetuned: see [finetuning.md](finetuning.md).',
    '- **processes**: the first two with `--nproc`, or under a launcher that sets `WORLD_SIZE`: see [scaling.md](scaling.md). ONNX',
    '  may have several processes too; in one, what only they have is refused there: `--max-restarts`, `--sync-batch-norm`,',
    '  `--collective-timeout`.',
    '',
    '| flag | in YAML | official | nothing | weights | ONNX | processes | what it does |',
    '|---|---|---|---|---|---|---|---|',
    ...rows,
    '',
    'Two official flags ask for what happens anyway:',
    '',
    ...settled,
    '',
  ].join('\n');
}

/** docs/errors.md: each class of both packages with its codes, and what its docstring says. */
export function errorsPage(): string {
  const head = ['| class | codes | fields | when |', '|---|---|---|---|'];
  return [
    '# Errors',
    '',
    made('`packages/magface/src/errors.ts` and `packages/torch/src/errors.ts`'),
    'What the packages throw on purpose has a `code`, which is stable and for programs; its `message` is one sentence for',
    'people: what was expected, what came, what to do. The command line ends with 1 where inputs failed, with 3 where a',
    'process of a training run was lost, with 130 when interrupted, and with 2 on all else.',
    '',
    '## magface',
    '',
    'Everything that the package itself throws on purpose is a `MagfaceError`.',
    '',
    ...head,
    ...errorRows('../../src/errors.ts', { MagfaceError: plainCodes() }),
    '',
    'An abort throws the reason of its signal, and what the system refuses keeps its error of Node, such as `ENOSPC` where',
    'the disk is full.',
    '',
    '## @magface/torch',
    '',
    'This package stands alone: its errors have a `code` and are no `MagfaceError`. `magface/train` lets them through; the',
    'command line makes a `MagfaceError` of the same code of the last two.',
    '',
    ...head,
    ...errorRows('../../../torch/src/errors.ts'),
    '',
    "Where the package itself is not installed, `import 'magface/train'` fails with Node's own `ERR_MODULE_NOT_FOUND`, which",
    'names `@magface/torch`: no module can catch what its own imports lack. Whoever has it as an option imports it by',
    "`await import('magface/train')` within `try`. The engine `torch` of `MagFace.load` says `libtorch_missing`.",
    '',
  ].join('\n');
}

/** @param further - codes that a class is made with outside its file */
function errorRows(path: string, further: Readonly<Record<string, readonly string[]>> = {}): string[] {
  const tree = parsed(fileURLToPath(new URL(path, import.meta.url)));
  const codes = new Map<string, readonly string[]>();
  const rows: string[] = [];
  for (const node of tree.statements) {
    if (ts.isTypeAliasDeclaration(node)) codes.set(node.name.text, stringsIn(node));
    if (!ts.isClassDeclaration(node) || !node.name) continue;
    const own = stringsIn(node).filter((text) => /^[a-z]+(_[a-z]+)+$/.test(text));
    const alias = [...codes.keys()].find((name) => node.getText(tree).includes(`declare readonly code: ${name}`));
    const all = alias === undefined ? [...own, ...(further[node.name.text] ?? [])] : (codes.get(alias) ?? []);
    const text = ts.getJSDocCommentsAndTags(node).map((doc) => ts.getTextOfJSDocComment(doc.comment) ?? '');
    const fields = node.members.filter(ts.isPropertyDeclaration).map((member) => member.name.getText(tree));
    const extra = fields.filter((name) => name !== 'name' && name !== 'code');
    const cells = [`\`${node.name.text}\``, code(all), code(extra), text.join(' ').replace(/\s+/g, ' ')];
    rows.push(`| ${cells.join(' | ')} |`);
  }
  return rows;
}

/** Codes of the errors that are of no class of their own, in order. */
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
