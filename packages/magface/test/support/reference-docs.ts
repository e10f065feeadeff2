/** The pages of docs/ that are made from the sources: commands from their definitions, errors from their classes. */
import { readFileSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import ts from 'typescript';
import { createProgram } from '../../src/cli/program.ts';
import { services } from '../../src/cli/services.ts';

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

/** docs/errors.md: each class with its codes, and what its docstring says. */
export function errorsPage(): string {
  const file = fileURLToPath(new URL('../../src/errors.ts', import.meta.url));
  const tree = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ES2022, true);
  const codes = new Map<string, readonly string[]>();
  const rows: string[] = [];
  for (const node of tree.statements) {
    if (ts.isTypeAliasDeclaration(node)) codes.set(node.name.text, stringsIn(node));
    if (!ts.isClassDeclaration(node) || !node.name) continue;
    const own = stringsIn(node).filter((text) => /^[a-z]+(_[a-z]+)+$/.test(text));
    const alias = [...codes.keys()].find((name) => node.getText(tree).includes(`declare readonly code: ${name}`));
    const all = alias === undefined ? own : (codes.get(alias) ?? []);
    const text = ts.getJSDocCommentsAndTags(node).map((doc) => ts.getTextOfJSDocComment(doc.comment) ?? '');
    const fields = node.members.filter(ts.isPropertyDeclaration).map((member) => member.name.getText(tree));
    const extra = fields.filter((name) => name !== 'name' && name !== 'code');
    const cells = [`\`${node.name.text}\``, code(all), code(extra), text.join(' ').replace(/\s+/g, ' ')];
    rows.push(`| ${cells.join(' | ')} |`);
  }
  return [
    '# Errors',
    '',
    made('`packages/magface/src/errors.ts`'),
    'Everything that the packages throw on purpose is a `MagfaceError`. `code` is stable and for programs; `message` is one',
    'sentence for people: what was expected, what came, what to do. The command line ends with 1 where inputs failed and',
    'with 2 on wrong use.',
    '',
    '| class | codes | fields | when |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

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
