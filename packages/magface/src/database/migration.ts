/** Tables in versions: those of an older version are brought forward when a database is opened. */
import { ConfigError } from '../errors.ts';
import type { DatabasePurpose, Query } from './database.ts';

/** How the tables of one purpose came about. */
export interface Migration<Given> {
  readonly purpose: DatabasePurpose;
  /** The table whose only row has the version. */
  readonly table: string;
  /** Each brings the tables from the version of its place to the next. */
  readonly steps: readonly ((query: Query, given: Given) => Promise<void>)[];
}

/** @returns undefined without the table */
export async function versionOf(query: Query, table: string): Promise<number | undefined> {
  if (!(await hasTable(query, table))) return undefined;
  return (await query<{ version: number }>(`select version from ${table}`))[0]?.version;
}

export async function hasTable(query: Query, table: string): Promise<boolean> {
  const [row] = await query<{ made: boolean }>('select to_regclass($1) is not null as made', [table]);
  return row!.made;
}

/** @throws {ConfigError} if a newer version of this package made the tables */
export function expectKnownVersion(version: number, { purpose: { key, one }, steps }: Migration<never>): void {
  if (version <= steps.length) return;
  throw new ConfigError(key, {
    expected: `${one} of version ${steps.length} or older`,
    problem: `it has version ${version}`,
    remedy: 'update this package',
  });
}

/** Creates the tables, or brings them forward. @param version - of the tables; 0 if there are none */
export async function bringForward<Given>(
  query: Query,
  version: number,
  { table, steps }: Migration<Given>,
  given: Given,
): Promise<void> {
  if (version === steps.length) return;
  for (const step of steps.slice(version)) await step(query, given);
  await query(`update ${table} set version = ${steps.length}`);
}
