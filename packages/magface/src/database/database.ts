/**
 * PostgreSQL in this process (PGlite, in a folder) or on a server, both with the same SQL: galleries and libraries are stored in
 * it. A folder has pgvector; on a server only galleries need it.
 */
import { existsSync } from 'node:fs';
import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { PGlite } from '@electric-sql/pglite';
import { ConfigError } from '../errors.ts';
import { type FolderLock, type LockPurpose, lockFolder } from '../machine/folder-lock.ts';
import { makeFolder } from '../machine/make-folder.ts';
import { copyQuietFolder } from './folder-copy.ts';

export type SqlValue = string | number | null | readonly string[];

/** Runs one statement. */
export type Query = <Row>(sql: string, values?: readonly SqlValue[]) => Promise<Row[]>;

export interface Database {
  /** Name in messages, no password. */
  readonly name: string;
  /** Whether other processes may change it. */
  readonly shared: boolean;
  readonly query: Query;
  /** Commits all or nothing. */
  transaction<Result>(body: (query: Query) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}

/** What is stored, in the words of errors and locks. */
export interface DatabasePurpose extends LockPurpose {
  /** `a gallery` */
  readonly one: string;
  /** What to do where nothing is stored. */
  readonly create: string;
}

/** A database that is about to be used. */
export interface PreparedDatabase extends Pick<Database, 'name' | 'shared' | 'query'> {
  /** Whether tables may be created and changed: on a server not for reading, in the copy of a folder always. */
  readonly changeable: boolean;
}

/** Options for opening. */
export interface DatabaseOptions {
  readonly purpose: DatabasePurpose;
  /** Opens a copy of a folder. @default false */
  readonly readOnly?: boolean;
  /** Creates no folder. @default false */
  readonly existing?: boolean;
  /** Runs first, in one transaction. If it throws, the database is closed. @default nothing */
  readonly prepare?: (database: PreparedDatabase) => Promise<void>;
}

/**
 * @param where - a folder, or `postgres://...`
 * @throws {ConfigError} if it cannot be reached or is already open
 */
export async function openDatabase(where: string, options: DatabaseOptions): Promise<Database> {
  const { purpose, readOnly = false, existing = readOnly, prepare = async () => undefined } = options;
  if (existing) expectDatabase(where, purpose);
  const onServer = isServer(where);
  const database = await (onServer
    ? openServer(where, purpose)
    : readOnly
      ? openCopy(where, purpose)
      : openFolder(where, purpose));
  const { name, shared } = database;
  try {
    if (onServer && readOnly) await prepare({ name, shared, query: database.query, changeable: false });
    else await database.transaction((query) => prepare({ name, shared, query, changeable: true }));
    if (!onServer && readOnly) await database.query('set default_transaction_read_only = on'); // writes to a copy would be lost
    return database;
  } catch (error) {
    await database.close();
    throw error;
  }
}

const isServer = (where: string): boolean => /^postgres(ql)?:\/\//.test(where);

const dataOf = (folder: string): string => join(folder, 'data');

/** A new database is created here, then renamed when complete. */
const partOf = (folder: string): string => join(folder, 'data.part');

const isMade = (folder: string): boolean => existsSync(join(dataOf(folder), 'PG_VERSION'));

/** Checks folders only, not servers. @throws {ConfigError} if the folder has no database */
export function expectDatabase(where: string, purpose: DatabasePurpose): void {
  if (!isServer(where) && !isMade(where)) throw nothingStored(where, purpose);
}

/** @param where - without a password */
export const nothingStored = (where: string, { key, one, create }: DatabasePurpose): ConfigError =>
  new ConfigError(key, { expected: `${one} at ${where}`, problem: 'there is none', remedy: create });

async function openFolder(folder: string, purpose: DatabasePurpose): Promise<Database> {
  await expectRoom(folder, purpose);
  await makeFolder(folder);
  const lock = await lockFolder(folder, purpose);
  try {
    if (!isMade(folder)) await makeData(folder);
    return folderDatabase(folder, await openData(dataOf(folder)), lock);
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/**
 * A database has a folder of its own: photos beside it would look like part of it.
 *
 * @throws {ConfigError} if the folder holds other files
 */
export async function expectRoom(folder: string, { key, what, one }: DatabasePurpose): Promise<void> {
  if (isServer(folder) || isMade(folder)) return;
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    if (error.code !== 'ENOTDIR') throw error;
    throw new ConfigError(key, {
      expected: `a folder for ${what}`,
      problem: `${folder} is a file`,
      remedy: 'name a folder',
    });
  });
  const foreign = names.filter((name) => !/^(lock-.*|data\.part)$/.test(name));
  if (foreign.length === 0) return;
  throw new ConfigError(key, {
    expected: `${one} or an empty folder at ${folder}`,
    problem: `it contains other files, such as ${foreign[0]}`,
    remedy: `use a folder only for ${what}`,
  });
}

/** Takes seconds, so an interrupted attempt must never be mistaken for a database. */
async function makeData(folder: string): Promise<void> {
  const part = partOf(folder);
  await rm(part, { recursive: true, force: true });
  await (await openData(part)).close();
  await rename(part, dataOf(folder));
}

async function openData(data: string): Promise<PGlite> {
  const { PGlite } = await import('@electric-sql/pglite');
  const { vector } = await import('@electric-sql/pglite-pgvector');
  return PGlite.create(data, { extensions: { vector } });
}

/** Opens a copy of the committed state, even while the folder is in use. */
async function openCopy(folder: string, purpose: LockPurpose): Promise<Database> {
  const copy = await copyQuietFolder(dataOf(folder), purpose);
  try {
    const database = await openData(copy.path);
    return folderDatabase(folder, database, { expectHeld: () => undefined, release: () => copy.remove() });
  } catch (error) {
    await copy.remove();
    throw error;
  }
}

function folderDatabase(name: string, database: PGlite, lock: Pick<FolderLock, 'expectHeld' | 'release'>): Database {
  const query: Query = async <Row>(sql: string, values?: readonly SqlValue[]) => {
    lock.expectHeld();
    return (await database.query<Row>(sql, values && [...values])).rows;
  };
  return {
    name,
    shared: false,
    query,
    transaction: async (body) => {
      lock.expectHeld();
      return database.transaction((inner) =>
        body(
          async <Row>(sql: string, values?: readonly SqlValue[]) =>
            (await inner.query<Row>(sql, values && [...values])).rows,
        ),
      );
    },
    close: async () => {
      await database.close();
      await lock.release();
    },
  };
}

/** @throws {ConfigError} if the address is invalid or has no host; the error omits its password */
function serverOf(address: string, { key }: DatabasePurpose): URL {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url !== undefined && url.host !== '') return url;
  throw new ConfigError(key, {
    expected: 'a server as postgres://USER:PASSWORD@HOST/DATABASE',
    received: 'another form',
    remedy: `correct --${key}`,
  });
}

async function openServer(address: string, purpose: DatabasePurpose): Promise<Database> {
  const { host, pathname } = serverOf(address, purpose);
  const { default: pg } = await import('pg');
  const pool = new pg.Pool({ connectionString: address, max: 8 });
  pool.on('error', () => undefined); // the next query replaces a broken idle connection
  const query: Query = async <Row>(sql: string, values?: readonly SqlValue[]) =>
    (await pool.query(sql, values && [...values])).rows as Row[];
  try {
    await query('select 1');
  } catch (cause) {
    await pool.end();
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError(
      purpose.key,
      {
        expected: `PostgreSQL at ${host}${pathname}`,
        problem: `it cannot be used (${why})`,
        remedy: 'check the address, and that the server is running',
      },
      { cause },
    );
  }
  return {
    name: `${host}${pathname}`,
    shared: true,
    query,
    transaction: async (body) => {
      const client = await pool.connect();
      try {
        await client.query('begin');
        const result = await body(
          async <Row>(sql: string, values?: readonly SqlValue[]) =>
            (await client.query(sql, values && [...values])).rows as Row[],
        );
        await client.query('commit');
        client.release();
        return result;
      } catch (error) {
        client.release(true); // closing the connection rolls back in any state
        throw error;
      }
    },
    close: () => pool.end(),
  };
}
