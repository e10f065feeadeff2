/** What is wrong with a setting, as a sentence: what was expected, what came, and where all settings stand. */
import type { z } from 'zod';
import { ConfigError } from '../errors.ts';
import { flagOf } from './flag-names.ts';

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
  const key = issue!.path.join('.');
  const value = issue!.path.reduce<unknown>((from, part) => (from as Record<PropertyKey, unknown>)?.[part], given);
  const name = String(issue!.path[0] ?? '');
  const flag = `--${flagOf(name)}`;
  if (value === undefined) {
    const purpose = purposes[name];
    return new ConfigError(key, `Expected ${flag}${purpose === undefined ? '' : `, ${purpose},`} but it is not given.`);
  }
  const message = `Expected ${flag} to be ${wanted(issue!)} but received ${JSON.stringify(value)}: ${seeAll}`;
  return new ConfigError(key, message);
}

function wanted(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.expected === 'int' ? 'a whole number' : `a ${issue.expected}`;
    case 'invalid_value':
      return issue.values.length === 1 ? String(issue.values[0]) : `one of ${issue.values.join(', ')}`;
    case 'too_small':
      return `${issue.origin === 'array' ? 'a list of ' : ''}${issue.inclusive === true ? 'at least' : 'over'} ${issue.minimum}`;
    case 'too_big':
      return `${issue.inclusive === true ? 'at most' : 'under'} ${issue.maximum}`;
    default:
      return issue.message.replace(/^expected /, '');
  }
}
