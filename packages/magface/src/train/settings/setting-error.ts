/** Explains an invalid setting in a sentence: the expected value, the received one, and where to find all settings. */
import type { z } from 'zod';
import { ConfigError } from '../../errors.ts';
import { flagOf } from '../../settings/flag-names.ts';
import { describeIssue, placeOf, received } from '../../settings/schema-issue.ts';
import type { Setting } from '../../settings/setting.ts';

const seeAll = '`magface train --help` lists all settings.';

/** @param given - the input; @param issues - of zod, of which the first is reported */
export function settingError(
  given: unknown,
  [issue]: readonly z.core.$ZodIssue[],
  table: Readonly<Record<string, Setting>>,
): ConfigError {
  if (issue!.code === 'unrecognized_keys') {
    const keys = issue!.keys.join(', ');
    return new ConfigError(keys, `Expected known settings but received ${keys}: ${seeAll}`);
  }
  const key = placeOf(issue!);
  const name = String(issue!.path[0] ?? '');
  const flag = `--${flagOf(name)}`;
  if (received(issue!, given) === undefined) {
    return new ConfigError(key, `Expected ${flag} (${table[name]?.says}) but it is missing.`);
  }
  return new ConfigError(key, `Expected ${describeIssue(issue!, given, flag)}: ${seeAll}`);
}
