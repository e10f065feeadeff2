/** A schema's complaints in our words. */
import { expect, test } from 'vitest';
import { z } from 'zod';
import { contrast } from '../../src/fault.ts';
import { issueFault } from '../../src/settings/schema-issue.ts';

const schema = z.strictObject({
  port: z.int().max(9),
  share: z.number().positive(),
  kind: z.enum(['a', 'b']),
  sets: z.array(z.union([z.string(), z.strictObject({ set: z.string() })])).min(1),
});
const good = { port: 1, share: 0.5, kind: 'a', sets: ['lfw'] };

test.each<[unknown, string]>([
  [{ ...good, port: 10 }, 'port to be at most 9 but received 10'],
  [{ ...good, port: '1' }, 'port to be a number but received "1"'],
  [{ ...good, port: 1.5 }, 'port to be a whole number but received 1.5'],
  [{ ...good, share: 0 }, 'share to be over 0 but received 0'],
  [{ ...good, kind: 'c' }, 'kind to be one of a, b but received "c"'],
  [{ ...good, sets: [] }, 'sets to be a list of at least 1 but received []'],
  [{ ...good, sets: ['lfw', 3] }, 'sets.1 to be in another form but received 3'],
  [{ ...good, more: 1 }, 'known keys but received more'],
  [{ ...good, kind: undefined }, 'kind (one of a, b) but it is missing'],
  [3, 'it to be an object but received 3'],
])('describes %j', (given, expected) => {
  expect(contrast(issueFault(schema.safeParse(given).error!.issues[0]!, given))).toBe(`expected ${expected}`);
});
