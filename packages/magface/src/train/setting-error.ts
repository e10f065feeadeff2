/** What is wrong with a setting, as a sentence: what was expected, what came, and where all settings stand. */
import type { z } from 'zod';
import { ConfigError } from '../errors.ts';
import { flagOf } from '../settings/flag-names.ts';
import { describeIssue, placeOf, received } from '../settings/schema-issue.ts';

/** What a setting is for that has no default. */
const purposes: Readonly<Record<string, string>> = {
  trainList: 'what to train on: a list, a folder with a subfolder for each person, a .rec or tar shards',
  output: 'a folder for checkpoints, metrics and the report',
};
const seeAll = '`magface train --print-config` shows all settings.';

/** @param given - what was checked; @param issues - of zod, the first counts */
export function settingError(given: unknown, [issue]: readonly z.core.$ZodIssue[]): ConfigError {
  if (issue!.code === 'unrecognized_keys') {
    const keys = issue!.keys.join(', ');
    return new ConfigError(keys, `Expected settings that exist but received ${keys}: ${seeAll}`);
  }
  const key = placeOf(issue!);
  const name = String(issue!.path[0] ?? '');
  const flag = `--${flagOf(name)}`;
  if (received(issue!, given) === undefined) {
    const purpose = purposes[name];
    return new ConfigError(key, `Expected ${flag}${purpose === undefined ? '' : `, ${purpose},`} but it is not given.`);
  }
  return new ConfigError(key, `Expected ${describeIssue(issue!, given, flag)}: ${seeAll}`);
}
