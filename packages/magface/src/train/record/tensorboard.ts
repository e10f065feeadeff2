/**
 * Writes the rows as TensorBoard event files: records of length, checksum, `Event` message, checksum. Field numbers are
 * those of TensorFlow's event.proto and summary.proto.
 */
import { appendFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { BinaryWriter } from '@bufbuild/protobuf/wire';

/** Appends scalars to its own event file. */
export class EventFile {
  readonly #file: string;

  /** @param seconds - start time, since 1970 */
  constructor(folder: string, seconds: number = Date.now() / 1000) {
    this.#file = join(folder, `events.out.tfevents.${Math.floor(seconds)}.${hostname()}`);
    const head = new BinaryWriter().tag(1, 1).double(seconds).tag(3, 2).string('brain.Event:2').finish();
    writeFileSync(this.#file, record(head));
  }

  /** @param scalars - by tag, such as `loss/identity` */
  add(step: number, scalars: Readonly<Record<string, number>>, seconds: number = Date.now() / 1000): void {
    const summary = new BinaryWriter();
    for (const [tag, value] of Object.entries(scalars)) {
      summary.tag(1, 2).fork().tag(1, 2).string(tag).tag(2, 5).float(value).join();
    }
    const event = new BinaryWriter().tag(1, 1).double(seconds).tag(2, 0).int64(step).tag(5, 2).bytes(summary.finish());
    appendFileSync(this.#file, record(event.finish()));
  }
}

/** One record of a TFRecord file. */
export function record(data: Uint8Array): Buffer {
  const head = Buffer.alloc(12);
  head.writeBigUInt64LE(BigInt(data.length));
  head.writeUInt32LE(maskedCrc(head.subarray(0, 8)), 8);
  const tail = Buffer.alloc(4);
  tail.writeUInt32LE(maskedCrc(data));
  return Buffer.concat([head, data, tail]);
}

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value;
});

/** CRC-32C (Castagnoli). */
export function crc32c(data: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of data) crc = (crc >>> 8) ^ table[(crc ^ byte) & 0xff]!;
  return ~crc >>> 0;
}

/** TFRecord's mask of a checksum, for data that itself contains checksums. */
const maskedCrc = (data: Uint8Array): number => {
  const crc = crc32c(data);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
};
