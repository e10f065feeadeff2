/** Rows in a file instead of stdout, in place as they come. */
import { Writable } from 'node:stream';
import { ConfigError } from '../errors.ts';
import type { BigRun } from './big-run.ts';
import type { OutputFormat } from './output.ts';

export interface RowsFile {
  /** Takes what `createRows` writes. */
  readonly stream: NodeJS.WritableStream;
  /** Whether it has rows of an earlier run. */
  readonly begun: boolean;
  /** Passes all rows to the system. @returns the file's length */
  flush(): Promise<number>;
  close(): Promise<void>;
}

/** @throws {ConfigError} if the file's extension names no format of rows */
export function rowsFormatOf(path: string): OutputFormat {
  if (/\.jsonl$/.test(path)) return 'jsonl';
  if (/\.csv$/.test(path)) return 'csv';
  const remedy = 'rename it; `magface merge` makes a .parquet of it';
  throw new ConfigError('output', {
    expected: 'an output that ends in .jsonl or .csv',
    received: path,
    remedy,
  });
}

export async function openRowsFile(path: string, run: Pick<BigRun, 'open'>): Promise<RowsFile> {
  const file = await run.open(path, 'in place');
  const stream = new Writable({
    write: (bytes: Uint8Array, _encoding, done) => void file.append(bytes).then(() => done(), done),
  });
  return {
    stream,
    begun: file.length > 0,
    flush: async () => {
      await file.flush();
      return file.length;
    },
    close: () => file.commit(),
  };
}
