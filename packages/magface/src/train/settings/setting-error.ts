/** Explains an invalid setting in a sentence: the expected value, the received one, and where to find all settings. */
import type { z } from 'zod';
import { ConfigError } from '../../errors.ts';
import { flagOf } from '../../settings/flag-names.ts';
import { issueFault, placeOf, received } from '../../settings/schema-issue.ts';
import type { Setting } from '../../settings/setting.ts';

const remedy = '`magface train --help` lists all settings';

/** @param given - the input; @param issues - of zod, of which the first is reported */
export function settingError(
  given: unknown,
  [issue]: readonly z.core.$ZodIssue[],
  table: Readonly<Record<string, Setting>>,
): ConfigError {
  if (issue!.code === 'unrecognized_keys') {
    const keys = issue!.keys.join(', ');
    return new ConfigError(keys, { expected: 'known settings', received: keys, remedy });
  }
  const key = placeOf(issue!);
  const name = String(issue!.path[0] ?? '');
  const flag = `--${flagOf(name)}`;
  if (received(issue!, given) === undefined) {
    return new ConfigError(key, {
      expected: `${flag} (${table[name]?.says})`,
      problem: 'it is missing',
      remedy: `pass ${flag}`,
    });
  }
  return new ConfigError(key, { ...issueFault(issue!, given, flag), remedy });
}
