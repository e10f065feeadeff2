/** A table of settings as flags of a command: parsing, help, checks and, if the table has `config`, a YAML file. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { ConfigError, firstLine } from '../errors.ts';
import { expectMet } from '../settings/dependent.ts';
import { flagOf } from '../settings/flag-names.ts';
import { issueFault } from '../settings/schema-issue.ts';
import { isList, kindOf, type Setting, schemaOf } from '../settings/setting.ts';
import { readYaml } from './yaml-file.ts';

type Table = Readonly<Record<string, Setting>>;

const tables = new WeakMap<Command, Table>();

/** @returns the settings of a command; documentation is generated from them */
export const settingsOf = (command: Command): Table => tables.get(command) ?? {};

/** Adds every setting of the table as a flag. Before the action, reads the file of `--config` and checks `onlyWith`. */
export function addSettings(command: Command, table: Table): Command {
  const all = { ...settingsOf(command), ...table };
  const isFirst = !tables.has(command);
  tables.set(command, all);
  for (const [name, setting] of Object.entries(table)) {
    const option = optionOf(name, setting, { mayBeInFile: 'config' in all });
    command.addOption(setting.group === undefined ? option : option.helpGroup(setting.group));
  }
  if (isFirst) command.hook('preAction', (_, acting) => complete(acting));
  return command;
}

/** `--batch <n>`, `-q, --quiet`, `--no-cache` */
export function flagWords(name: string, setting: Pick<Setting, 'short' | 'value' | 'takes' | 'default'>): string {
  const { short, value, takes } = setting;
  const isNegated = takes === 'boolean' && value === '' && setting.default === true;
  const long = `--${isNegated ? 'no-' : ''}${flagOf(name)}${value === '' ? '' : ` ${value}`}`;
  return short === undefined ? long : `${short}, ${long}`;
}

function optionOf(name: string, setting: Setting, { mayBeInFile }: { readonly mayBeInFile: boolean }): Option {
  const option = new Option(flagWords(name, setting), helpOf(setting));
  if (setting.takes === 'choice' || setting.takes === 'choices') option.choices(setting.choices!);
  else if (setting.takes !== 'boolean') option.argParser(parserOf(setting));
  if (setting.default !== undefined && setting.default !== true) option.default(setting.default);
  return setting.required === true && !mayBeInFile ? option.makeOptionMandatory() : option;
}

/** `list of images (repeatable; default: none)` */
function helpOf(setting: Setting): string {
  const isRepeatable = isList(setting) && !setting.value.endsWith('...>');
  const { otherwise } = setting;
  const notes = [isRepeatable ? 'repeatable' : [], otherwise === undefined ? [] : `default: ${otherwise}`].flat();
  return notes.length === 0 ? setting.says : `${setting.says} (${notes.join('; ')})`;
}

/** Reads a flag's value, or adds it to the list. */
export function parserOf(setting: Setting): (text: string, before?: unknown) => unknown {
  if (!isList(setting)) return (text) => readValue(setting, text);
  return (text, before) => [
    ...(Array.isArray(before) && before !== setting.default ? before : []),
    readValue(setting, text),
  ];
}

/**
 * @param text - a value from the command line; one element of a list
 * @throws {InvalidArgumentError} saying what was expected
 */
function readValue(setting: Setting, text: string): unknown {
  if (setting.parse !== undefined) return setting.parse(text);
  const { schema, expected } = kindOf(setting);
  if (schema.safeParse(text).success) return text; // a folder may be named 2024
  const number = text.trim() === '' ? Number.NaN : Number(text);
  if (schema.safeParse(number).success) return number;
  throw new InvalidArgumentError(`Expected ${expected}.`);
}

/** Adds the values of the file, which flags override, and checks all together. */
async function complete(command: Command): Promise<void> {
  const table = settingsOf(command);
  const { config } = command.opts<{ readonly config?: string }>();
  if (config !== undefined && 'config' in table) await addFile(command, table, config);
  const values = command.opts<Record<string, unknown>>();
  const missing = Object.entries(table).find(([name, { required }]) => required === true && values[name] === undefined);
  if (missing !== undefined) {
    const [name, { says }] = missing;
    throw new ConfigError(flagOf(name), {
      expected: `--${flagOf(name)} (${says})`,
      problem: 'it is missing',
      remedy: `pass it, or add ${name} to the file of --config`,
    });
  }
  const given = Object.keys(table).filter((name) =>
    ['cli', 'config'].includes(command.getOptionValueSource(name) ?? ''),
  );
  expectMet(Object.fromEntries(given.map((name) => [name, values[name]])), values, table);
}

async function addFile(command: Command, table: Table, file: string): Promise<void> {
  const see = `\`magface ${pathOf(command)} --help\``;
  const content = await readYaml(file, { key: 'config', what: 'settings (one `key: value` per line)', see });
  for (const [name, value] of Object.entries(content)) {
    const setting = name === 'config' ? undefined : table[name];
    if (setting === undefined) {
      throw new ConfigError(name, {
        expected: `known settings in ${file}`,
        received: name,
        remedy: `${see} lists all, in the file in camelCase`,
      });
    }
    if (command.getOptionValueSource(name) === 'cli') continue;
    command.setOptionValueWithSource(name, fromFile(setting, value, { name, file }), 'config');
  }
}

/** @throws {ConfigError} naming the setting, if the value does not fit */
function fromFile(
  setting: Setting,
  value: unknown,
  { name, file }: { readonly name: string; readonly file: string },
): unknown {
  if (setting.parse === undefined) {
    const result = schemaOf(setting).safeParse(value);
    if (result.success) return result.data;
    const issue = { ...result.error.issues[0]!, path: [] };
    throw new ConfigError(name, { ...issueFault(issue, value, name), remedy: `correct it in ${file}` });
  }
  try {
    const parse = (one: unknown): unknown => setting.parse!(String(one));
    return isList(setting) && Array.isArray(value) ? value.map(parse) : parse(value);
  } catch (cause) {
    if (!(cause instanceof InvalidArgumentError)) throw cause;
    const problem = `${firstLine(cause)} as ${name} but received ${value}`;
    throw new ConfigError(name, { problem, remedy: `correct it in ${file}` }, { cause });
  }
}

/** `evaluate set` */
function pathOf(command: Command): string {
  const { parent } = command;
  return parent?.parent == null ? command.name() : `${pathOf(parent)} ${command.name()}`;
}
