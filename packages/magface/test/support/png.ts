/** PNG files put together by hand, for pictures that no encoder would make. */
import { deflateSync } from 'node:zlib';
import { crc32 } from '../../src/format/crc32.ts';

export interface HandmadePng {
  readonly width: number;
  readonly height: number;
  /** Bit depth and colour type, as the header has them. */
  readonly kind: readonly [depth: number, colour: number];
  /** Before compression, a filter byte a row. */
  readonly rows: Buffer;
}

export function pngFile({ width, height, kind, rows }: HandmadePng): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([...kind, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  checksum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, checksum]);
}
