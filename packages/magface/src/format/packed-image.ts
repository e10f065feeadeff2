/** Images packed into larger files: `.rec` and tar shards. */
import { type ByteSource, openBytesSync } from './byte-source.ts';
import { parseImageRecord } from './record-file.ts';

/** The position of one. Plain data that can be sent to threads. */
export interface PackedImage {
  readonly file: string;
  readonly offset: number;
  /** Bytes; for a record, including its headers and padding. */
  readonly length: number;
  /** What the bytes are: an image record of RecordIO, or the encoded image itself. */
  readonly form: 'record' | 'image';
}

/**
 * @param source - of `place.file`
 * @returns the encoded image
 * @throws {FormatError} if the record is damaged
 */
export function readPackedImage(source: ByteSource, { offset, length, form }: PackedImage): Buffer {
  const bytes = source.readSync(offset, length);
  if (form === 'image') return bytes;
  const { image } = parseImageRecord(source, bytes, offset);
  return Buffer.from(image.buffer, image.byteOffset, image.byteLength);
}

/** The same for a single image in a file that is not open. */
export function readPackedFile(place: PackedImage): Buffer {
  const source = openBytesSync(place.file);
  try {
    return readPackedImage(source, place);
  } finally {
    source.closeSync();
  }
}
