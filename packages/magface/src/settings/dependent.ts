/** Settings that have an effect only with another one: alone, they are rejected by name. */
import { ConfigError } from '../errors.ts';
import { flagOf } from './flag-names.ts';
import type { Setting } from './setting.ts';

type Given = Readonly<Record<string, unknown>>;
type Table = Readonly<Record<string, Setting>>;

/**
 * Whether the setting that this one depends on is missing, or has a value that disables this one, or is itself disabled.
 */
export function isWithout({ onlyWith }: Setting, config: Given, table: Table): boolean {
  if (onlyWith === undefined) return false;
  const [name, value] = onlyWith;
  const isMet = value === undefined ? config[name] !== undefined : config[name] === value;
  return !isMet || isWithout(table[name]!, config, table);
}

/** The setting that a disabled one depends on, directly or through others, and the value that it needs. */
function unmet({ onlyWith }: Setting, config: Given, table: Table): readonly [name: string, value?: string] {
  const needed = table[onlyWith![0]]!;
  return isWithout(needed, config, table) ? unmet(needed, config, table) : onlyWith!;
}

/**
 * @param given - the user's settings @param config - the same with defaults
 * @throws {ConfigError} if a setting has no effect, because the one that it depends on is missing or differs
 */
export function expectMet(given: Given, config: Given, table: Table): void {
  for (const name of Object.keys(given)) {
    const setting = table[name]!;
    if (!isWithout(setting, config, table)) continue;
    const [other, value] = unmet(setting, config, table);
    const needed = `--${flagOf(other)}${value === undefined ? '' : ` ${value}`}`;
    const received = value === undefined ? 'it is missing' : `received --${flagOf(other)} ${config[other]}`;
    throw new ConfigError(flagOf(name), {
      expected: `${needed} for --${flagOf(name)}`,
      problem: received,
      remedy: `leave --${flagOf(name)} out, or add ${needed}`,
    });
  }
}
