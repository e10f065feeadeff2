/** A `.rec` with its `.idx`: images by key, at random or in file order, one disk read each. */

import { existsSync } from 'node:fs';
import type { Fault } from '../fault.ts';
import { type ByteSource, openBytesSync } from './byte-source.ts';
import { FileWriter } from './file-writer.ts';
import {
  decodeImageRecord,
  encodeImageRecord,
  headLabels,
  type ImageRecord,
  type RecordLabels,
} from './image-record.ts';
import { readRecordIndex, scanRecords } from './record-index.ts';
import { encodeRecord, parseRecord } from './record-io.ts';

/** Covers a record's header and two packed labels. */
const labelBytes = 40;

/** An open `.rec`. Close it after use. */
export interface RecordFile {
  /** In file order. */
  readonly keys: Float64Array;
  readonly has: (key: number) => boolean;
  /** Position of a record. @throws {FormatError} if there is no such key */
  place(key: number): { readonly offset: number; readonly length: number };
  /** @throws {FormatError} if there is no such key, or no record at its indexed offset */
  read(key: number): Promise<ImageRecord>;
  /** The same, synchronously, for worker threads. */
  readSync(key: number): ImageRecord;
  /** Reads only the labels: a few bytes, whatever the image's size. */
  readLabelsSync(key: number): RecordLabels;
  /** @returns the error for a record that contradicts its place in a set */
  error(fault: Fault, key: number): Error;
  close(): Promise<void>;
  closeSync(): void;
}

/** The files beside `train.rec`: `train.idx`, `train.lst`. */
const besideRecords = (path: string, ending: '.idx' | '.lst'): string => path.replace(/(\.rec)?$/, ending);

/**
 * Opens a `.rec` for reading by key.
 *
 * @param index - @default the `.idx` beside the file; without one, the file is scanned once and keys count from 0
 * @throws {FormatError} if the index contradicts the file
 */
export async function openRecords(file: string, index?: string): Promise<RecordFile> {
  return openRecordsSync(file, index);
}

/** The same, synchronously, for checks before a run begins. */
export function openRecordsSync(file: string, index: string = besideRecords(file, '.idx')): RecordFile {
  const source = openBytesSync(file);
  if (!existsSync(index)) return recordsOf(source);
  let indexSource: ByteSource | undefined;
  try {
    indexSource = openBytesSync(index);
    return recordsOf(source, indexSource);
  } catch (error) {
    source.closeSync();
    throw error;
  } finally {
    indexSource?.closeSync();
  }
}

/** The same for bytes that are open already. */
export function recordsOf(source: ByteSource, index?: ByteSource): RecordFile {
  const { keys, find } = index === undefined ? scanRecords(source) : readRecordIndex(index, source);
  const place = (key: number): { offset: number; length: number } => {
    const found = find(key);
    if (found === undefined)
      throw source.error(
        { expected: `record ${key}`, problem: 'the index does not have it', remedy: 'write the index again' },
        0,
      );
    return { offset: found.begin, length: found.end - found.begin };
  };
  const readSync = (key: number): ImageRecord => {
    const { offset, length } = place(key);
    return parseImageRecord(source, source.readSync(offset, length), offset);
  };
  return {
    keys,
    has: (key) => find(key) !== undefined,
    place,
    readSync,
    async read(key) {
      const { offset, length } = place(key);
      return parseImageRecord(source, await source.read(offset, length), offset);
    },
    readLabelsSync(key) {
      const { offset, length } = place(key);
      const labels = headLabels(source.readSync(offset, Math.min(length, labelBytes)));
      if (labels !== undefined) return labels;
      const record = readSync(key);
      return { labels: record.labels, isImage: record.image.length > 0 };
    },
    error: (fault, key) => source.error(fault, find(key)?.begin ?? 0),
    close: () => source.close(),
    closeSync: () => source.closeSync(),
  };
}

/** @param bytes - a whole record, from its magic on; @param offset - its offset, for messages */
export function parseImageRecord(source: ByteSource, bytes: Buffer, offset: number): ImageRecord {
  return decodeImageRecord(source, parseRecord(source, bytes, offset).data, offset);
}

/** Writes a `.rec` and its `.idx`. */
export interface RecordWriter {
  /** @param name - for the `.lst`; it is written once a record has a name. @default no line for this record */
  write(key: number, record: ImageRecord, name?: string): Promise<void>;
  /** Renames the files into place, the `.rec` last. */
  close(): Promise<void>;
  /** Removes the unfinished files. */
  discard(): Promise<void>;
}

/**
 * Starts a `.rec` with its `.idx`.
 *
 * @param path - the `.rec`; `.idx` and `.lst` are written next to it
 */
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
