/**
 * The picture that cameras put into RAW files beside the sensor's values: a JPEG, as the camera developed it. RAW files of most
 * makers are TIFF files (DNG, CR2, NEF, ARW, PEF, ORF, RW2), whose directories are searched for the largest JPEG.
 *
 * @see TIFF 6.0; TIFF/EP (ISO 12234-2); DNG 1.6; exiftool's tables of the makers' tags
 */
import { frameOf, jpegSegments } from './jpeg-segments.ts';

const tag = {
  width: 256,
  compression: 259,
  photometric: 262,
  rw2Jpeg: 0x2e,
  stripOffsets: 273,
  orientation: 274,
  stripLengths: 279,
  subDirectories: 330,
  jpegOffset: 513,
  jpegLength: 514,
  dngVersion: 50706,
} as const;

/** Colours of a sensor: a mosaic, or linear. */
const sensorColours = [32803, 34892];
/** Compressions that only RAW files use: of Sony, Nikon and Pentax. */
const rawCompressions = [32767, 34713, 65535];
/** Signatures after the byte order: TIFF, and those of Olympus (`RO`, `RS`) and Panasonic. */
const tiff = 42;
const rawSignatures = [0x4f52, 0x5352, 0x55];
const mostDirectories = 64;

/** Values of a directory's entries, by tag. */
type Directory = ReadonlyMap<number, readonly number[]>;

/** A RAW file. */
export interface RawFile {
  /** The largest JPEG in it, upright by its EXIF data; undefined if there is none. */
  readonly preview: Uint8Array | undefined;
}

/** @returns undefined if it is none */
export function readRaw(bytes: Uint8Array): RawFile | undefined {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (file.toString('latin1', 0, 15) === 'FUJIFILMCCD-RAW') return { preview: fujiPreview(file) };
  const signature = signatureOf(file);
  if (signature === undefined) return undefined;
  const directories = directoriesOf(file);
  if (signature === tiff && !isCr2(file) && !directories.some(isOfSensor)) return undefined;
  const previews = directories.flatMap((directory) => previewsOf(file, directory));
  const best = previews.sort((a, b) => b.pixels - a.pixels)[0];
  const orientation = directories[0]?.get(tag.orientation)?.[0] ?? 1;
  return { preview: best && upright(best.jpeg, orientation) };
}

interface Preview {
  readonly jpeg: Buffer;
  readonly pixels: number;
}

function isOfSensor(directory: Directory): boolean {
  const has = (key: number, values: readonly number[]): boolean => values.includes(directory.get(key)?.[0] ?? 0);
  return directory.has(tag.dngVersion) || has(tag.photometric, sensorColours) || has(tag.compression, rawCompressions);
}

const isCr2 = (file: Buffer): boolean => file.toString('latin1', 8, 10) === 'CR';

function signatureOf(file: Buffer): number | undefined {
  const order = file.toString('latin1', 0, 2);
  if (file.length < 8 || (order !== 'II' && order !== 'MM')) return undefined;
  const signature = order === 'II' ? file.readUInt16LE(2) : file.readUInt16BE(2);
  return signature === tiff || rawSignatures.includes(signature) ? signature : undefined;
}

/** All directories: the chain of the first, and those within others. */
function directoriesOf(file: Buffer): Directory[] {
  const isLittle = file[0] === 0x49;
  const short = (at: number): number => (isLittle ? file.readUInt16LE(at) : file.readUInt16BE(at));
  const long = (at: number): number => (isLittle ? file.readUInt32LE(at) : file.readUInt32BE(at));
  const found: Directory[] = [];
  const offsets = [long(4)];
  const known = new Set<number>();
  for (let offset = offsets.shift(); offset !== undefined; offset = offsets.shift()) {
    if (known.has(offset) || known.size >= mostDirectories || offset === 0 || offset + 2 > file.length) continue;
    known.add(offset);
    const end = offset + 2 + 12 * short(offset);
    if (end > file.length) continue;
    const directory = new Map<number, number[]>();
    for (let at = offset + 2; at < end; at += 12) directory.set(short(at), valuesAt(at));
    found.push(directory);
    offsets.push(...(directory.get(tag.subDirectories) ?? []));
    if (end + 4 <= file.length) offsets.push(long(end));
  }
  return found;

  /** Numbers of an entry; of bytes, where they lie and how many they are. */
  function valuesAt(entry: number): number[] {
    const [type, count, place] = [short(entry + 2), long(entry + 4), long(entry + 8)];
    const size = type === 3 ? 2 : type === 4 || type === 13 ? 4 : undefined;
    if (size === undefined) return [place, count];
    const from = count * size <= 4 ? entry + 8 : place;
    if (count > mostDirectories || from + count * size > file.length) return [];
    return Array.from({ length: count }, (_, i) => (size === 2 ? short(from + 2 * i) : long(from + 4 * i)));
  }
}

/** The JPEG files of a directory: as its strip, as its thumbnail, or as Panasonic has it. */
function previewsOf(file: Buffer, directory: Directory): Preview[] {
  const at = (key: number): readonly number[] => directory.get(key) ?? [];
  const isStrip = at(tag.stripOffsets).length === 1;
  const places = [
    [at(tag.jpegOffset)[0], at(tag.jpegLength)[0]],
    isStrip ? [at(tag.stripOffsets)[0], at(tag.stripLengths)[0]] : [],
    at(tag.rw2Jpeg),
  ];
  return places.flatMap(([start, length]) => {
    if (start === undefined || length === undefined || start + length > file.length) return [];
    return asPreview(file.subarray(start, start + length));
  });
}

/** The header names the place of the JPEG. */
function fujiPreview(file: Buffer): Uint8Array | undefined {
  if (file.length < 92) return undefined;
  const [start, length] = [file.readUInt32BE(84), file.readUInt32BE(88)];
  return start + length <= file.length ? asPreview(file.subarray(start, start + length))[0]?.jpeg : undefined;
}

function asPreview(jpeg: Buffer): Preview[] {
  for (const segment of jpegSegments(jpeg)) {
    const frame = frameOf(segment);
    if (frame !== undefined) return [{ jpeg, pixels: frame.width * frame.height }];
  }
  return [];
}

/** Most previews do not say how the camera was held: the file does. */
function upright(jpeg: Buffer, orientation: number): Uint8Array {
  const hasExif = [...jpegSegments(jpeg)].some(({ marker }) => marker === 0xe1);
  if (orientation === 1 || hasExif) return jpeg;
  return Buffer.concat([jpeg.subarray(0, 2), exifOf(orientation), jpeg.subarray(2)]);
}

/** An EXIF segment with an orientation alone. */
function exifOf(orientation: number): Buffer {
  const head = Buffer.from('ffe10022457869660000', 'hex'); // APP1 of 34 bytes, "Exif"
  const directory = Buffer.from('4d4d002a00000008000101120003000000010000000000000000', 'hex');
  directory.writeUInt16BE(orientation, 18);
  return Buffer.concat([head, directory]);
}
