/** One table gives a command its flags, help, checks and YAML file. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, type CommanderError, InvalidArgumentError } from 'commander';
import { describe, expect, test } from 'vitest';
import { addSettings, settingsOf } from '../../src/cli/setting-flags.ts';
import type { Setting } from '../../src/settings/setting.ts';
import { emptyFolder, runCli } from './run-cli.ts';

const point = (text: string): readonly number[] => {
  const [x, y] = text.split(',').map(Number);
  if (x !== undefined && y !== undefined && x + y >= 0) return [x, y];
  throw new InvalidArgumentError('Expected a point such as 1,2.');
};

const table = {
  size: { takes: 'count', within: [1, 9], value: '<n>', says: 'its size', default: 3 },
  share: { takes: 'share', value: '<share>', says: 'its share', otherwise: 'all' },
  kind: { takes: 'choice', choices: ['a', 'b'], value: '<kind>', says: 'its kind', default: 'a' },
  list: { takes: 'texts', value: '<file>', says: 'its lists' },
  files: { takes: 'texts', value: '<file...>', says: 'its files', default: ['x'] },
  points: { takes: 'texts', parse: point, value: '<x,y>', says: 'its points' },
  cache: { takes: 'boolean', value: '', says: 'no cache', default: true },
  tune: { takes: 'boolean', value: '', short: '-t', says: 'tune it' },
  model: { takes: 'text', value: '<model>', says: 'what to tune', onlyWith: ['tune'] },
  config: { takes: 'text', value: '<file>', says: 'settings as YAML' },
  output: { takes: 'text', value: '<file>', says: 'where to write', required: true },
} as const satisfies Record<string, Setting>;

async function parse(words: string, settings: Readonly<Record<string, Setting>> = table): Promise<unknown> {
  let values: unknown;
  const command = addSettings(new Command('run'), settings)
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  command.action((flags: unknown) => {
    values = flags;
  });
  await command.parseAsync(words.split(' ').filter(Boolean), { from: 'user' });
  return values;
}

/** The path of a file with these lines. */
function yaml(...lines: string[]): string {
  const file = join(emptyFolder().replaceAll(' ', '\\ '), 'settings.yaml').replaceAll('\\ ', ' ');
  writeFileSync(file, lines.join('\n'));
  return file;
}

async function parseWith(file: string, ...words: string[]): Promise<unknown> {
  let values: unknown;
  const command = addSettings(new Command('run'), table)
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  command.action((flags: unknown) => {
    values = flags;
  });
  await command.parseAsync(['--config', file, ...words], { from: 'user' });
  return values;
}

describe('flags', () => {
  test('a list of numbers keeps them all', async () => {
    const weights = { weights: { takes: 'positives', value: '<x...>', says: 'how much each set counts' } } as const;
    expect(await parse('--weights 3 1', weights)).toEqual({ weights: [3, 1] });
  });

  test('are read by their kind, and have their defaults', async () => {
    expect(
      await parse('--output o --size 9 --share 0.5 --list p --list q --points 1,2 --points 3,4 -t --model 7'),
    ).toEqual({
      ...{ output: 'o', size: 9, share: 0.5, kind: 'a', list: ['p', 'q'], files: ['x'], cache: true, tune: true },
      ...{
        points: [
          [1, 2],
          [3, 4],
        ],
        model: '7',
      },
    });
    expect(await parse('--output o --files y z --no-cache')).toMatchObject({ files: ['y', 'z'], cache: false });
  });

  test.each([
    ['--output o --size 10', 'Expected a whole number from 1 to 9.'],
    ['--output o --size 1.5', 'Expected a whole number from 1 to 9.'],
    ['--output o --share 2', 'Expected a number from 0 to 1.'],
    ['--output o --share=', 'Expected a number from 0 to 1.'],
    ['--output o --kind c', 'Allowed choices are a, b.'],
    ['--output o --points x', 'Expected a point such as 1,2.'],
    ['', 'Expected --output (where to write) but it is missing: pass it, or add output to the file of --config.'],
    ['--output o --model m', 'Expected --tune for --model but it is missing: leave --model out, or add --tune.'],
  ])('%s is refused', async (words, message) => {
    await expect(parse(words)).rejects.toThrow(message);
  });

  test('without a file, a missing one is refused by the parser', async () => {
    const { output } = table;
    const refused = parse('', { output }).catch(({ code }: CommanderError) => code);
    expect(await refused).toBe('commander.missingMandatoryOptionValue');
  });

  test('have their defaults in the help', () => {
    const help = addSettings(new Command('run'), table).helpInformation().replace(/\s+/g, ' ');
    expect(help).toContain('--share <share> its share (default: all)');
    expect(help).toContain('--list <file> its lists (repeatable)');
    expect(help).toContain('--kind <kind> its kind (choices: "a", "b", default: "a")');
    expect(help).toContain('--no-cache no cache');
    expect(help).toContain('-t, --tune tune it');
  });
});

describe('a file', () => {
  test('gives settings; flags override it, and it overrides defaults', async () => {
    const file = yaml('output: o', 'size: 5', 'share: 1', 'points: ["1,2"]', 'files: y', 'cache: false');
    expect(await parseWith(file, '--share', '0.25')).toMatchObject({
      ...{ output: 'o', size: 5, share: 0.25, kind: 'a', points: [[1, 2]], files: ['y'], cache: false },
    });
  });

  test.each([
    ['size: 10', 'Expected size to be at most 9 but received 10: correct it in'],
    ['kind: c', 'Expected kind to be one of a, b but received "c": correct it in'],
    ['points: x', 'Expected a point such as 1,2 as points but received x: correct it in'],
    ['sizes: 3', 'but received sizes: `magface run --help` lists all'],
    ['config: other.yaml', 'but received config:'],
    ['model: m', 'Expected --tune for --model but it is missing'],
  ])('with %s is refused', async (line, message) => {
    await expect(parseWith(yaml('output: o', line))).rejects.toThrow(message);
  });

  test('serves a real command', async () => {
    const cwd = emptyFolder();
    writeFileSync(join(cwd, 'run.yaml'), 'format: json\nminQuality: 200\n');
    const { exitCode, stderr } = await runCli(['quality', 'a.jpg', '--config', 'run.yaml'], { cwd });
    expect(exitCode).toBe(2);
    expect(stderr).toBe('Expected minQuality to be at most 100 but received 200: correct it in run.yaml.\n');
  });
});

test('remembers the settings of a command', () => {
  expect(Object.keys(settingsOf(addSettings(new Command('run'), table)))).toEqual(Object.keys(table));
});

test('commands define their options by tables alone', () => {
  const root = fileURLToPath(new URL('../../src/cli/', import.meta.url));
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  const others = files.filter((file) => !/^(setting|train)-flags\.ts$/.test(file));
  const offending = others.filter((file) =>
    /\.(option|requiredOption|addOption)\(|new Option\(/.test(readFileSync(join(root, file), 'utf8')),
  );
  expect(offending).toEqual([]);
});
