/** CRC-32 of zip archives (polynomial 0xedb88320, reflected): Node's own, which it has from 20.15 on, else ours. */
import * as zlib from 'node:zlib';

const table: Uint32Array = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** @param before - the result over the bytes before these. @default none */
export function crc32ByTable(bytes: Uint8Array, before = 0): number {
  let crc = ~before;
  for (let i = 0; i < bytes.length; i++) crc = (crc >>> 8) ^ table[(crc ^ bytes[i]!) & 255]!;
  return ~crc >>> 0;
}

export const crc32: typeof crc32ByTable = zlib.crc32 ?? crc32ByTable;
