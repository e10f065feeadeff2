/**
 * Where a gallery is kept: PostgreSQL with pgvector, either in this process (PGlite, in a folder) or by a connection string.
 * Both take the same SQL.
 */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError } from '../errors.ts';
import { lockFolder } from './folder-lock.ts';

export type SqlValue = string | number | null | readonly string[];

/** Runs one statement. */
export type Query = <Row>(sql: string, values?: readonly SqlValue[]) => Promise<Row[]>;

export interface Database {
  /** What messages call it: no password. */
  readonly name: string;
  /** Other processes may change it too. */
  readonly shared: boolean;
  readonly query: Query;
  /** All of it or nothing. */
  transaction<Result>(body: (query: Query) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  /** Whether a folder that is not there is made. @default true */
  readonly create?: boolean | undefined;
}

/**
 * @param where - a folder, or `postgres://...`
 * @throws {ConfigError} when it cannot be reached, or somebody has it open
 */
export async function openDatabase(where: string, { create = true }: DatabaseOptions = {}): Promise<Database> {
  if (isServer(where)) return openServer(where);
  if (!create) expectFolder(where);
  return openFolder(where);
}

const isServer = (where: string): boolean => /^postgres(ql)?:\/\//.test(where);

const dataOf = (folder: string): string => join(folder, 'data');

/** Of a server only its answer tells. @throws {ConfigError} when no gallery was made in the folder */
export function expectFolder(where: string): void {
  if (!isServer(where) && !existsSync(dataOf(where))) throw noGallery(where);
}

/** @param where - without a password */
export const noGallery = (where: string): ConfigError =>
  new ConfigError(
    'gallery',
    `Expected a gallery at ${where} but there is none: check --gallery, or make one with \`magface enroll\`.`,
  );

async function openFolder(folder: string): Promise<Database> {
  await mkdir(folder, { recursive: true });
  const lock = await lockFolder(folder);
  try {
    const { PGlite } = await import('@electric-sql/pglite');
    const { vector } = await import('@electric-sql/pglite-pgvector');
    const database = await PGlite.create(dataOf(folder), { extensions: { vector } });
    const query: Query = async <Row>(sql: string, values?: readonly SqlValue[]) => {
      lock.expectHeld();
      return (await database.query<Row>(sql, values && [...values])).rows;
    };
    return {
      name: folder,
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
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function openServer(address: string): Promise<Database> {
  const { default: pg } = await import('pg');
  const pool = new pg.Pool({ connectionString: address, max: 8 });
  pool.on('error', () => undefined); // an idle connection that breaks is replaced by the next query
  const query: Query = async <Row>(sql: string, values?: readonly SqlValue[]) =>
    (await pool.query(sql, values && [...values])).rows as Row[];
  const { host, pathname } = new URL(address);
  try {
    await query('select 1');
  } catch (cause) {
    await pool.end();
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError('gallery', `Expected PostgreSQL at ${host}${pathname} but it cannot be used: ${why}.`, {
      cause,
    });
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
        client.release(true); // closing the connection rolls back, whatever state it is in
        throw error;
      }
    },
    close: () => pool.end(),
  };
}
