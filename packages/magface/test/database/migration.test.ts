/** Tables in versions, on statements that are only written down. */
import { expect, test } from 'vitest';
import type { Query } from '../../src/database/database.ts';
import { bringForward, expectKnownVersion, type Migration, versionOf } from '../../src/database/migration.ts';

const said: string[] = [];
const query = (async (sql: string) => {
  said.push(sql);
  return [];
}) as Query;

const tables: Migration<string> = {
  purpose: { key: 'shelf', one: 'a shelf', what: 'the shelf', use: 'sorts it', remedy: 'wait', create: 'make one' },
  table: 'shelf_schema',
  steps: [1, 2, 3].map((step) => async (ask, given) => {
    await ask(`step ${step} for ${given}`);
  }),
};

test('only the missing steps run, in order, and the version follows', async () => {
  for (const [version, expected] of [
    [0, ['step 1 for books', 'step 2 for books', 'step 3 for books', 'update shelf_schema set version = 3']],
    [2, ['step 3 for books', 'update shelf_schema set version = 3']],
    [3, []],
  ] as const) {
    said.length = 0;
    await bringForward(query, version, tables, 'books');
    expect(said).toEqual(expected);
  }
});

test('the tables of a newer version are refused', () => {
  expectKnownVersion(3, tables);
  expect(() => expectKnownVersion(4, tables)).toThrow(
    'Expected a shelf of version 3 or older but it has version 4: update this package.',
  );
});

test('without its table there is no version', async () => {
  const answers: unknown[][] = [[{ made: true }], [{ version: 2 }], [{ made: false }]];
  const ask = (async () => answers.shift()) as Query;
  expect(await versionOf(ask, 'shelf_schema')).toBe(2);
  expect(await versionOf(ask, 'shelf_schema')).toBeUndefined();
});
