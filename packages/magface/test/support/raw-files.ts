/** Files of several pictures, made here after their formats: RAW files of cameras, and multi-picture JPEG files. */

/** Values of an entry: short if they fit, else long; a Buffer is put behind the directory. */
type Entries = Readonly<Record<number, number | readonly number[] | Buffer>>;

export interface TiffOptions {
  /** @default 42, of TIFF */
  readonly signature?: number;
  readonly bigEndian?: boolean;
  /** What follows the header, such as CR2's own signature. */
  readonly head?: Buffer;
}

/** Where a JPEG is put: `strip` in the tags of a picture, `thumbnail` in those of EXIF. */
export interface TiffDirectory {
  readonly entries: Entries;
  readonly jpeg?: { readonly as: 'strip' | 'thumbnail' | 'panasonic'; readonly bytes: Buffer };
  readonly within?: readonly TiffDirectory[];
}

/** A TIFF file of these directories; those `within` another are its sub-directories. */
export function tiffFile(directories: readonly TiffDirectory[], options: TiffOptions = {}): Buffer {
  const { signature = 42, bigEndian = false, head = Buffer.alloc(0) } = options;
  const parts: Buffer[] = [Buffer.alloc(8), head];
  let length = 8 + head.length;
  const add = (bytes: Buffer): number => {
    const at = length;
    parts.push(bytes, Buffer.alloc(bytes.length % 2));
    length += bytes.length + (bytes.length % 2);
    return at;
  };
  const number = (value: number, size: 2 | 4): Buffer => {
    const bytes = Buffer.alloc(size);
    if (bigEndian) bytes.writeUIntBE(value, 0, size);
    else bytes.writeUIntLE(value, 0, size);
    return bytes;
  };
  const entryOf = (tag: number, value: number | readonly number[] | Buffer): Buffer => {
    if (Buffer.isBuffer(value))
      return Buffer.concat([number(tag, 2), number(7, 2), number(value.length, 4), number(add(value), 4)]);
    const values = [value].flat() as number[];
    const place =
      values.length === 1 ? number(values[0]!, 4) : number(add(Buffer.concat(values.map((v) => number(v, 4)))), 4);
    return Buffer.concat([number(tag, 2), number(4, 2), number(values.length, 4), place]);
  };
  const directoryAt = ({ entries, jpeg, within = [] }: TiffDirectory, next: number): number => {
    const inside = within.map((one) => directoryAt(one, 0));
    const tags = { ...entries, ...(inside.length > 0 && { 330: inside }), ...jpegTags(jpeg, add) };
    const rows = Object.entries(tags).map(([tag, value]) => entryOf(Number(tag), value));
    return add(Buffer.concat([number(rows.length, 2), ...rows, number(next, 4)]));
  };
  const first = [...directories].reverse().reduce((next, directory) => directoryAt(directory, next), 0);
  const file = Buffer.concat(parts);
  Buffer.concat([Buffer.from(bigEndian ? 'MM' : 'II'), number(signature, 2), number(first, 4)]).copy(file);
  return file;
}

function jpegTags(jpeg: TiffDirectory['jpeg'], add: (bytes: Buffer) => number): Entries {
  if (jpeg === undefined) return {};
  if (jpeg.as === 'panasonic') return { 46: jpeg.bytes };
  const [at, length] = [add(jpeg.bytes), jpeg.bytes.length];
  return jpeg.as === 'strip' ? { 259: 7, 273: at, 279: length } : { 513: at, 514: length };
}

/** Fujifilm's header, which names the place of the JPEG. */
export function fujiFile(jpeg: Buffer): Buffer {
  const head = Buffer.alloc(160);
  head.write('FUJIFILMCCD-RAW 0201FF383501X-T1', 'latin1');
  head.writeUInt32BE(head.length, 84);
  head.writeUInt32BE(jpeg.length, 88);
  return Buffer.concat([head, jpeg]);
}

/** Several JPEG files as one, the first with the segment that lists them. @see CIPA DC-007, Multi-Picture Format */
export function multiPictureFile([first, ...others]: readonly [Buffer, ...Buffer[]]): Buffer {
  const count = 1 + others.length;
  const entriesAt = 8 + 2 + 3 * 12 + 4;
  const body = Buffer.alloc(entriesAt + 16 * count);
  body.write('MM\0*', 'latin1');
  body.writeUInt32BE(8, 4);
  body.writeUInt16BE(3, 8);
  const rows = [
    [0xb000, 7, 4, 0x30313030],
    [0xb001, 4, 1, count],
    [0xb002, 7, 16 * count, entriesAt],
  ] as const;
  for (const [i, [tag, type, values, value]] of rows.entries()) {
    const at = 10 + 12 * i;
    body.writeUInt16BE(tag, at);
    body.writeUInt16BE(type, at + 2);
    body.writeUInt32BE(values, at + 4);
    body.writeUInt32BE(value, at + 8);
  }
  const segment = Buffer.concat([Buffer.from([0xff, 0xe2, 0, 0]), Buffer.from('MPF\0', 'latin1'), body]);
  segment.writeUInt16BE(segment.length - 2, 2);
  const primary = Buffer.concat([first.subarray(0, 2), segment, first.subarray(2)]);
  let at = 0; // offsets count from the byte order of the segment's header, except that of the first
  for (const [i, picture] of [primary, ...others].entries()) {
    const entry = 2 + 8 + entriesAt + 16 * i;
    primary.writeUInt32BE(i === 0 ? 0x20030000 : 0x00020002, entry);
    primary.writeUInt32BE(picture.length, entry + 4);
    primary.writeUInt32BE(i === 0 ? 0 : at - 10, entry + 8);
    at += picture.length;
  }
  return Buffer.concat([primary, ...others]);
}
