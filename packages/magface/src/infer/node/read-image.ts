/**
 * Reads images from any source as RGB pixels: upright by EXIF, first frame, sRGB, 8 bit, transparency on white; of a RAW file its preview, of several
 * pictures in one file the first. Images
 * that are too large are rejected by their header, before decoding.
 */
import { readFileSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import sharp, { type Metadata } from 'sharp';
import { templateSize } from '../../align.ts';
import { firstLine, ImageError, type ImageErrorCode, ShapeError } from '../../errors.ts';
import { FetchFault, fetchBytes } from '../../fetch-bytes.ts';
import { imageKinds } from '../../image-names.ts';
import { type Pixels, type RawImage, rgbPixels } from '../../pixels.ts';
import { canReadHeic, decodeHeic, isHeic } from './decode-heic.ts';
import { decodeSmallJpeg } from './decode-jpeg.ts';
import { decoding } from './decoding.ts';
import { readRaw } from './raw-preview.ts';

/** A path, a `file:` or `https:` URL, the bytes of an encoded file, or decoded pixels. */
export type ImageInput = string | URL | Uint8Array | RawImage;

/** Maximum size of an image. */
export interface ImageLimits {
  /** Maximum number of decoded pixels, three bytes each. @default 200e6 */
  readonly pixels?: number | undefined;
  /** Maximum size of the encoded file in bytes. @default 256 MiB */
  readonly bytes?: number | undefined;
}

export interface ReadImageOptions {
  readonly limits?: ImageLimits | undefined;
  readonly signal?: AbortSignal | undefined;
}

const defaultLimits = { pixels: 200e6, bytes: 256 * 1024 * 1024 } as const;
const formats = new Set(['jpeg', 'png', 'webp', 'heif', 'tiff', 'gif']);
const readable = `a ${imageKinds} image`;

/**
 * @throws {ImageError} `image_missing`, `image_unreadable` or `image_too_large`, with the image's name and a remedy
 */
export async function readImage(input: ImageInput, options: ReadImageOptions = {}): Promise<Pixels> {
  const { signal } = options;
  signal?.throwIfAborted();
  const limits = {
    pixels: options.limits?.pixels ?? defaultLimits.pixels,
    bytes: options.limits?.bytes ?? defaultLimits.bytes,
  };
  expectImageInput(input);
  const name = nameOf(input);
  const pixels = isRaw(input)
    ? readPixels(input, name, limits.pixels)
    : await decode(await readBytes(input, name, { bytes: limits.bytes, signal }), name, limits.pixels);
  signal?.throwIfAborted();
  return pixels;
}

/**
 * Reads an aligned face.
 *
 * @returns (112, 112, 3)
 * @throws {ImageError} as {@link readImage}, and `image_wrong_size` for any other size
 */
export async function readAligned(input: ImageInput, options: ReadImageOptions = {}): Promise<Pixels> {
  const pixels = await readImage(input, options);
  if (pixels.width === templateSize && pixels.height === templateSize) return pixels;
  const name = nameOf(input);
  throw new ImageError('image_wrong_size', name, {
    expected: `an aligned face of ${templateSize}x${templateSize} pixels`,
    subject: name,
    problem: `has ${pixels.width}x${pixels.height}`,
    remedy: 'align it first, or omit `aligned`',
  });
}

/** @returns the function that reads the inputs of a run: photos or aligned faces */
export function imageReader(
  { aligned = false }: { readonly aligned?: boolean | undefined },
  limits: ImageLimits | undefined,
): (input: ImageInput, options: { readonly signal: AbortSignal | undefined }) => Promise<Pixels> {
  const read = aligned ? readAligned : readImage;
  return (input, { signal }) => read(input, { limits, signal });
}

/** Name of an input, for errors. */
export function nameOf(input: ImageInput): string {
  if (typeof input === 'string') return shortened(input);
  if (input instanceof URL) return shortened((input.protocol === 'file:' ? pathOf(input) : undefined) ?? input.href);
  return input instanceof Uint8Array
    ? `the image of ${input.length} bytes`
    : `the image of ${input.width}x${input.height} pixels`;
}

/** Shortens data URLs, which contain a whole image. */
const shortened = (name: string): string => (/^data:/i.test(name) ? `${name.slice(0, 40)}…` : name);

/**
 * Checks inputs of callers without types.
 *
 * @throws {ImageError} `image_unreadable`
 */
export function expectImageInput(input: unknown): void {
  const isObject = typeof input === 'object' && input !== null;
  if (typeof input === 'string' || (isObject && (input instanceof URL || input instanceof Uint8Array))) return;
  if (isObject && 'data' in input && 'width' in input && 'height' in input) return;
  const what = isObject ? `an object (${input.constructor?.name ?? 'bare'})` : String(input);
  throw new ImageError('image_unreadable', what, {
    expected: 'an image as a path, a URL, the bytes of a file (Uint8Array) or pixels',
    received: what,
    remedy: 'pass one of these',
  });
}

function isRaw(input: ImageInput): input is RawImage {
  return typeof input === 'object' && 'data' in input && 'width' in input;
}

function readPixels(input: RawImage, name: string, limit: number): Pixels {
  expectPixels(input.width, input.height, name, limit);
  try {
    return rgbPixels(input);
  } catch (cause) {
    if (cause instanceof ShapeError) throw new ImageError('image_unreadable', name, cause, { cause });
    throw cause;
  }
}

interface BytesOptions {
  readonly bytes: number;
  readonly signal: AbortSignal | undefined;
}

/** Reads the encoded file, which must not be empty or exceed the limit. */
async function readBytes(input: string | URL | Uint8Array, name: string, options: BytesOptions): Promise<Uint8Array> {
  const bytes = input instanceof Uint8Array ? input : await readSource(sourceOf(input, name), name, options);
  expectBytes(bytes.length, name, options.bytes);
  if (bytes.length > 0) return bytes;
  throw new ImageError('image_unreadable', name, {
    expected: readable,
    subject: name,
    problem: 'is empty',
    remedy: 'copy or download it again',
  });
}

/** Files up to this size are read synchronously. */
const smallFile = 64 * 1024;

const readSource = (source: string | URL, name: string, options: BytesOptions): Promise<Uint8Array> =>
  typeof source === 'string' ? readPath(source, name, options) : download(source, name, options);

/** @returns a path, or the URL of something that is not a local file */
function sourceOf(input: string | URL, name: string): string | URL {
  const isAddress = typeof input !== 'string' || /^(https?:\/\/|file:)/i.test(input);
  if (!isAddress) return input;
  const address = typeof input !== 'string' ? input : URL.canParse(input) ? new URL(input) : undefined;
  const source = address?.protocol === 'file:' ? pathOf(address) : address;
  if (source !== undefined) return source;
  throw new ImageError('image_unreadable', name, {
    expected: 'an image',
    subject: name,
    problem: 'is not a valid URL',
    remedy: 'check its spelling',
  });
}

/** Undefined if the URL names another machine or no path. */
function pathOf(address: URL): string | undefined {
  try {
    return fileURLToPath(address);
  } catch {
    return undefined;
  }
}

async function readPath(path: string, name: string, { bytes, signal }: BytesOptions): Promise<Uint8Array> {
  try {
    const file = statSync(path);
    if (file.isDirectory()) {
      throw new ImageError('image_unreadable', name, {
        expected: 'an image file',
        subject: name,
        problem: 'is a folder',
        remedy: 'pass the files in it',
      });
    }
    if (!file.isFile()) {
      throw new ImageError('image_unreadable', name, {
        expected: 'an image file',
        subject: name,
        problem: 'is a device or a pipe',
        remedy: 'save it as a file first',
      });
    }
    expectBytes(file.size, name, bytes);
    // For small files the thread pool's four round trips cost more than reading: a third of a millisecond per face.
    if (file.size <= smallFile) return readFileSync(path);
    return await readFile(path, signal === undefined ? {} : { signal });
  } catch (cause) {
    signal?.throwIfAborted();
    if (cause instanceof ImageError) throw cause;
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
    const isMissing = code === 'ENOENT' || code === 'ENOTDIR';
    const why = isMissing ? (['does not exist', 'check the path'] as const) : unopened(code);
    throw unusable(isMissing ? 'image_missing' : 'image_unreadable', name, why, cause);
  }
}

type Why = readonly [problem: string, remedy: string];

const unusable = (code: ImageErrorCode, name: string, [problem, remedy]: Why, cause?: unknown): ImageError =>
  new ImageError(code, name, { expected: 'an image', subject: name, problem, remedy }, { cause });

function unopened(code: string): Why {
  if (code === 'ELOOP') return ['is a symbolic link that points to itself', 'pass the actual file'];
  if (code === 'ENAMETOOLONG') return ['has a name that is too long for this system', 'rename it'];
  const remedy = code === 'EACCES' || code === 'EPERM' ? 'check its permissions' : 'copy it elsewhere and try again';
  return [`cannot be opened (${code})`, remedy];
}

async function download(address: URL, name: string, { bytes, signal }: BytesOptions): Promise<Uint8Array> {
  const refuse = (code: ImageErrorCode, problem: string, remedy: string, cause?: unknown): never => {
    throw unusable(code, name, [problem, remedy], cause);
  };
  if (!/^https?:$/.test(address.protocol)) {
    return refuse('image_unreadable', `begins with ${address.protocol}`, 'use a path, file: or https:');
  }
  return fetchBytes(address, { limit: bytes, signal }).catch((fault: FetchFault) => {
    if (!(fault instanceof FetchFault)) throw fault;
    const { kind, status, received, cause } = fault;
    if (kind === 'refused')
      refuse(
        status === 404 ? 'image_missing' : 'image_unreadable',
        `cannot be downloaded (the server answered ${status})`,
        'check the address',
      );
    if (kind === 'too_large') expectBytes(received, name, bytes);
    const why = cause instanceof Error && cause.cause instanceof Error ? cause.cause.message : String(cause ?? kind);
    return refuse('image_unreadable', `cannot be downloaded (${why})`, 'check the address and the network', cause);
  });
}

async function decode(bytes: Uint8Array, name: string, limit: number): Promise<Pixels> {
  const small = await decodeSmallJpeg(bytes);
  if (small !== undefined) {
    expectPixels(small.width, small.height, name, limit);
    return small;
  }
  if (isHeic(bytes)) return readHeic(bytes, name, limit);
  const raw = readRaw(bytes); // before sharp, which takes the thumbnail of a RAW file for its picture
  if (raw !== undefined) return decode(raw.preview ?? refuseRaw(name), name, limit);
  const { width, height, space } = await readHeader(bytes, name);
  expectPixels(width, height, name, limit);
  try {
    // libvips leaves the colours of 16-bit pictures as stored, unless they become 8-bit first.
    const picture = sharp(bytes, decoding);
    if (space === 'rgb16') picture.pipelineColourspace('srgb');
    const { data, info } = await picture
      .flatten({ background: 'white' })
      .toColourspace('srgb')
      .raw()
      .toBuffer({ resolveWithObject: true });
    // A plain Uint8Array, because loops that see both it and Buffers run more slowly.
    const plain = new Uint8Array(data.buffer, data.byteOffset, data.length);
    return rgbPixels({ data: plain, width: info.width, height: info.height });
  } catch (cause) {
    throw damaged(name, cause);
  }
}

function refuseRaw(name: string): never {
  const problem = 'is a RAW file without a preview';
  const fault = { expected: readable, subject: name, problem, remedy: 'save it as JPEG first' };
  throw new ImageError('image_unreadable', name, fault);
}

function damaged(name: string, cause: unknown): ImageError {
  const problem = `is truncated or damaged (${firstLine(cause)})`;
  const fault = { expected: 'a complete image', subject: name, problem, remedy: 'copy or download it again' };
  return new ImageError('image_unreadable', name, fault, { cause });
}

/** @throws {ImageError} that names libheif-js if it is not installed */
async function readHeic(bytes: Uint8Array, name: string, limit: number): Promise<Pixels> {
  if (!canReadHeic()) {
    const remedy = 'npm install libheif-js, which decodes it, or convert it first';
    throw new ImageError('image_unreadable', name, {
      expected: readable,
      subject: name,
      problem: 'is HEIC, whose decoder is not included',
      remedy,
    });
  }
  try {
    return rgbPixels(await decodeHeic(bytes, (width, height) => expectPixels(width, height, name, limit)));
  } catch (cause) {
    throw cause instanceof ImageError ? cause : damaged(name, cause);
  }
}

async function readHeader(bytes: Uint8Array, name: string): Promise<Metadata> {
  const refuse = (cause?: unknown): never => {
    const [kind, remedy] = looksLike(bytes);
    const fault = { expected: readable, subject: name, problem: `is ${kind}`, remedy };
    throw new ImageError('image_unreadable', name, fault, { cause });
  };
  const metadata = await sharp(bytes, { limitInputPixels: false }).metadata().catch(refuse);
  return formats.has(metadata.format) && metadata.compression !== 'hevc' ? metadata : refuse();
}

/** Describes an unreadable file by its first bytes, with a remedy. */
function looksLike(bytes: Uint8Array): Why {
  const start = Buffer.from(bytes.subarray(0, 512)).toString('latin1');
  const convert = 'convert it first';
  if (/^ftyp(hei|hev|mif1|msf1)/.test(start.slice(4))) return ['HEIF in a form that is not read', convert];
  if (start.startsWith('ftypcrx', 4))
    return ['a RAW file in a form that is not read (CR3)', 'save it as JPEG or DNG first'];
  if (start.startsWith('BM')) return ['a BMP image', 'save it as PNG or JPEG'];
  if (start.startsWith('%PDF')) return ['a PDF document', convert];
  if (/<svg/i.test(start)) return ['an SVG drawing', convert];
  if (/^[\t\n\r\x20-\x7e]*$/.test(start)) return ['a text file', convert];
  const index = [/^\xff\xd8/, /^\x89PNG/, /^GIF8/, /^RIFF....WEBP/s].findIndex((head) => head.test(start));
  if (index < 0) return ['of an unknown format, or damaged', convert];
  const kind = ['JPEG', 'PNG', 'GIF', 'WebP'][index];
  return [`a ${kind} file that is truncated or damaged in its header`, 'copy or download it again'];
}

function expectPixels(width: number, height: number, name: string, limit: number): void {
  if (width * height <= limit) return;
  const [most, has] = [limit, width * height].map((pixels) => `${Number((pixels / 1e6).toPrecision(3))} megapixels`);
  throw new ImageError('image_too_large', name, {
    expected: `an image of at most ${most}`,
    subject: name,
    problem: `has ${has} (${width}x${height})`,
    remedy: 'scale it down, or raise the pixel limit',
  });
}

function expectBytes(length: number, name: string, limit: number): void {
  if (length <= limit) return;
  const [most, has] = [limit, length].map((bytes) => `${Number((bytes / 2 ** 20).toPrecision(3))} MiB`);
  throw new ImageError('image_too_large', name, {
    expected: `an image file of at most ${most}`,
    subject: name,
    problem: `has ${has}`,
    remedy: 'make the file smaller, or raise the byte limit',
  });
}
