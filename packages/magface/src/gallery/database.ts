/**
 * Where a gallery is kept: PostgreSQL with pgvector, either in this process (PGlite, in a folder) or by a connection string.
 * Both take the same SQL.
 */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError } from '../errors.ts';

export type SqlValue = string | number | null | readonly string[];

/** Runs one statement. */
export type Query = <Row>(sql: string, values?: readonly SqlValue[]) => Promise<Row[]>;

export interface Database {
  /** Other processes may change it too. */
  readonly shared: boolean;
  readonly query: Query;
  /** All of it or nothing. */
  transaction<Result>(body: (query: Query) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}

/**
 * @param where - a folder, which is made, or `postgres://...`
 * @throws {ConfigError} when it cannot be reached, or another process has it open
 */
export async function openDatabase(where: string): Promise<Database> {
  return /^postgres(ql)?:\/\//.test(where) ? openServer(where) : openFolder(where);
}

async function openFolder(folder: string): Promise<Database> {
  await mkdir(folder, { recursive: true });
  const unlock = await lock(folder);
  try {
    const { PGlite } = await import('@electric-sql/pglite');
    const { vector } = await import('@electric-sql/pglite-pgvector');
    const database = await PGlite.create(join(folder, 'data'), { extensions: { vector } });
    const query: Query = async <Row>(sql: string, values?: readonly SqlValue[]) =>
      (await database.query<Row>(sql, values && [...values])).rows;
    return {
      shared: false,
      query,
      transaction: (body) =>
        database.transaction((inner) =>
          body(
            async <Row>(sql: string, values?: readonly SqlValue[]) =>
              (await inner.query<Row>(sql, values && [...values])).rows,
          ),
        ),
      close: async () => {
        await database.close();
        await unlock();
      },
    };
  } catch (error) {
    await unlock();
    throw error;
  }
}

/** Two processes on one folder would spoil it. The lock of a process that is no more counts for nothing. */
async function lock(folder: string): Promise<() => Promise<void>> {
  const file = join(folder, 'lock');
  const owner = Number(await readFile(file, 'utf8').catch(() => '0'));
  if (owner > 0 && owner !== process.pid && isAlive(owner)) {
    const message = `Expected the gallery ${folder} to be free but process ${owner} has it open: stop that, or keep galleries that several share in PostgreSQL.`;
    throw new ConfigError('gallery', message);
  }
  await rm(file, { force: true });
  await writeFile(file, String(process.pid), { flag: 'wx' });
  return () => rm(file, { force: true });
}

function isAlive(process_: number): boolean {
  try {
    process.kill(process_, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function openServer(address: string): Promise<Database> {
  const { default: pg } = await import('pg');
  const pool = new pg.Pool({ connectionString: address, max: 8 });
  pool.on('error', () => undefined); // an idle connection that breaks is replaced by the next query
  const query: Query = async <Row>(sql: string, values?: readonly SqlValue[]) =>
    (await pool.query(sql, values && [...values])).rows as Row[];
  try {
    await query('select 1');
  } catch (cause) {
    const { host, pathname } = new URL(address);
    await pool.end();
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError('gallery', `Expected PostgreSQL at ${host}${pathname} but it cannot be used: ${why}.`, {
      cause,
    });
  }
  return {
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
