/** Turns a schema's issue into the fields of an error. */

import type { z } from 'zod';
import type { Fault } from '../fault.ts';

type Issue = z.core.$ZodIssue;

/** `sets.0.kind` */
export const placeOf = ({ path }: Issue): string => path.join('.');

/** @returns the value at the issue's path, or undefined */
export function received({ path }: Issue, given: unknown): unknown {
  return path.reduce<unknown>((from, part) => (from as Record<PropertyKey, unknown> | undefined)?.[part], given);
}

/** `a whole number`, `one of angular, cosine`, `at least 1` */
export function wanted(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.expected === 'int'
        ? 'a whole number'
        : `${/^[aeio]/.test(issue.expected) ? 'an' : 'a'} ${issue.expected}`;
    case 'invalid_value':
      return issue.values.length === 1 ? String(issue.values[0]) : `one of ${issue.values.join(', ')}`;
    case 'too_small':
      return `${issue.origin === 'array' ? 'a list of ' : ''}${issue.inclusive === true ? 'at least' : 'over'} ${issue.minimum}`;
    case 'too_big':
      return `${issue.inclusive === true ? 'at most' : 'under'} ${issue.maximum}`;
    default:
      return issue.message === withoutWords ? 'in another form' : issue.message;
  }
}

/** Zod's message for a schema that has no message of its own. Ours continue the sentence: `one or several texts`. */
const withoutWords = 'Invalid input';

/** @returns a fault such as `expected port to be at most 65535 but received 99999`, without the remedy */
export function issueFault(issue: Issue, given: unknown, name: string = placeOf(issue)): Omit<Fault, 'remedy'> {
  if (issue.code === 'unrecognized_keys') {
    const place = issue.path.length === 0 ? '' : ` in ${name}`;
    return { expected: `known keys${place}`, received: issue.keys.join(', ') };
  }
  const value = received(issue, given);
  if (value === undefined) return { expected: `${name} (${wanted(issue)})`, problem: 'it is missing' };
  return { expected: `${name === '' ? 'it' : name} to be ${wanted(issue)}`, received: JSON.stringify(value) };
}
