/**
 * The contents of an im2rec record: flag, label, two ids, then `flag` further labels if flag is above 0, then the image.
 *
 *     uint32 flag | float32 label | uint64 id | uint64 id2 | float32[flag] | JPEG
 */
import type { ByteSource } from './byte-source.ts';
import { recordMagic } from './record-io.ts';

/** One record of a `.rec`: labels and an encoded image. */
export interface ImageRecord {
  /** One label, or the packed ones. */
  readonly labels: readonly number[];
  readonly id: number;
  readonly id2: number;
  /** The encoded image; empty in records that describe other records. */
  readonly image: Uint8Array;
  /** Whether labels are packed, even a single one. @default by their number */
  readonly packed?: boolean;
}

const headerBytes = 24;

/** @throws {FormatError} if the data are too short for their header */
export function decodeImageRecord(source: ByteSource, data: Buffer, at: number): ImageRecord {
  const flag = data.length < headerBytes ? 0 : data.readUInt32LE(0);
  if (data.length < headerBytes + 4 * flag) {
    throw source.error(
      {
        expected: `an image record with ${flag} labels`,
        problem: `it has only ${data.length} bytes`,
        remedy: 'copy the file again',
      },
      at,
    );
  }
  const labels =
    flag === 0 ? [data.readFloatLE(4)] : Array.from({ length: flag }, (_, i) => data.readFloatLE(headerBytes + 4 * i));
  return {
    labels,
    id: Number(data.readBigUInt64LE(8)),
    id2: Number(data.readBigUInt64LE(16)),
    image: data.subarray(headerBytes + 4 * flag),
    packed: flag > 0,
  };
}

/** A record without its image. */
export interface RecordLabels {
  readonly labels: readonly number[];
  /** Whether an image follows; records that describe other records have none. */
  readonly isImage: boolean;
}

/**
 * The labels from a record's first bytes, its RecordIO header included.
 *
 * @returns undefined if they do not suffice and the whole record must be read
 */
export function headLabels(head: Buffer): RecordLabels | undefined {
  const start = 8 + headerBytes;
  if (head.length < start || head.readUInt32LE(0) !== recordMagic) return undefined;
  const [word, flag] = [head.readUInt32LE(4), head.readUInt32LE(8)];
  const fits = word >>> 29 === 0 && word >= headerBytes + 4 * flag && head.length >= start + 4 * flag;
  if (!fits) return undefined;
  const packed = Array.from({ length: flag }, (_, i) => head.readFloatLE(start + 4 * i));
  return { labels: flag === 0 ? [head.readFloatLE(12)] : packed, isImage: word > headerBytes + 4 * flag };
}

export function encodeImageRecord({ labels, id, id2, image, packed = labels.length !== 1 }: ImageRecord): Buffer {
  const header = Buffer.alloc(headerBytes + (packed ? 4 * labels.length : 0));
  header.writeUInt32LE(packed ? labels.length : 0, 0);
  header.writeFloatLE(packed ? 0 : labels[0]!, 4);
  header.writeBigUInt64LE(BigInt(id), 8);
  header.writeBigUInt64LE(BigInt(id2), 16);
  if (packed) for (const [i, label] of labels.entries()) header.writeFloatLE(label, headerBytes + 4 * i);
  return Buffer.concat([header, image]);
}
