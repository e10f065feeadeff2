/** A `.rec` with its `.idx`: images by key, at random or in the order of the file, one read of the disk each. */
import { existsSync } from 'node:fs';
import { type ByteSource, openBytes } from './byte-source.ts';
import { FileWriter } from './file-writer.ts';
import { decodeImageRecord, encodeImageRecord, headLabels, type ImageRecord } from './image-record.ts';
import { readRecordIndex, scanRecords } from './record-index.ts';
import { encodeRecord, parseRecord } from './record-io.ts';

/** Covers a record's header and two packed labels. */
const labelBytes = 40;

export interface RecordFile {
  /** In the order of the records' bytes. */
  readonly keys: Float64Array;
  /** @throws {FormatError} when there is no such key, or no record where the index says */
  read(key: number): Promise<ImageRecord>;
  /** The same without waiting, for a worker's own thread. */
  readSync(key: number): ImageRecord;
  /** The labels alone: some bytes of the disk, whatever the image's size. */
  readLabels(key: number): Promise<readonly number[]>;
  /** @returns the error to throw when a record contradicts its place in a set */
  error(message: string, key: number): Error;
  close(): Promise<void>;
}

/** What stands beside `train.rec`: `train.idx`, `train.lst`. */
export const besideRecords = (path: string, ending: '.idx' | '.lst'): string => path.replace(/(\.rec)?$/, ending);

/**
 * @param index - @default the `.idx` beside the file; where there is none, the file is gone through once and keys count from 0
 * @throws {FormatError} when the index contradicts the file
 */
export async function openRecords(file: string, index: string = besideRecords(file, '.idx')): Promise<RecordFile> {
  const source = await openBytes(file);
  if (!existsSync(index)) return recordsOf(source);
  const indexSource = await openBytes(index).catch(async (error: unknown) => {
    await source.close();
    throw error;
  });
  return recordsOf(source, indexSource).finally(() => indexSource.close());
}

/** The same for bytes that are open already; closes `source` when it throws. */
export async function recordsOf(source: ByteSource, index?: ByteSource): Promise<RecordFile> {
  try {
    const { keys, find } = index === undefined ? scanRecords(source) : await readRecordIndex(index, source);
    const place = (key: number): { begin: number; length: number } => {
      const found = find(key);
      if (found === undefined) throw source.error(`Expected a record ${key} but the index has none.`, 0);
      return { begin: found.begin, length: found.end - found.begin };
    };
    const decode = (bytes: Buffer, begin: number): ImageRecord =>
      decodeImageRecord(source, parseRecord(source, bytes, begin).data, begin);
    return {
      keys,
      async read(key) {
        const { begin, length } = place(key);
        return decode(await source.read(begin, length), begin);
      },
      readSync(key) {
        const { begin, length } = place(key);
        return decode(source.readSync(begin, length), begin);
      },
      async readLabels(key) {
        const { begin, length } = place(key);
        const head = await source.read(begin, Math.min(length, labelBytes));
        return headLabels(head) ?? decode(await source.read(begin, length), begin).labels;
      },
      error: (message, key) => source.error(message, find(key)?.begin ?? 0),
      close: () => source.close(),
    };
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** Writes a `.rec` and its `.idx`. */
export interface RecordWriter {
  /** @param name - for the `.lst`; it is written when the first record has one. @default no line for this record */
  write(key: number, record: ImageRecord, name?: string): Promise<void>;
  /** Gives the files their names, the records' last. */
  close(): Promise<void>;
  /** Leaves nothing behind. */
  discard(): Promise<void>;
}

export async function createRecordWriter(path: string): Promise<RecordWriter> {
  const records = await FileWriter.create(path);
  const index = await FileWriter.create(besideRecords(path, '.idx'));
  let list: FileWriter | undefined;
  return {
    async write(key, record, name) {
      if (name !== undefined) list ??= await FileWriter.create(besideRecords(path, '.lst'));
      const line = name === undefined ? '' : `${key}\t${record.labels.join('\t')}\t${name}\n`;
      await Promise.all([
        index.append(Buffer.from(`${key}\t${records.length}\n`)),
        records.append(encodeRecord(encodeImageRecord(record))),
        list?.append(Buffer.from(line)),
      ]);
    },
    async close() {
      await list?.commit();
      await index.commit();
      await records.commit();
    },
    async discard() {
      await Promise.all([records.discard(), index.discard(), list?.discard()]);
    },
  };
}
