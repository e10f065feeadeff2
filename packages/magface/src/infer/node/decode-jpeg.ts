/**
 * A fast decoder for small JPEG files such as aligned faces, for which sharp's pipeline costs more than the decoding.
 * It is libjpeg-turbo as WebAssembly with the accurate DCT, so the pixels equal those of sharp and OpenCV, bit for bit.
 * (@julusian/jpeg-turbo is faster still but sets the fast DCT, which moves magnitudes by up to 0.2 of 17.)
 */
import { createRequire } from 'node:module';
import type { Pixels } from '../../pixels.ts';
import { frameOf, jpegSegments } from './jpeg-segments.ts';

/** The part of the codec's JavaScript interface that we use; it has no types. */
interface JpegDecoder {
  getEncodedBuffer(length: number): Uint8Array;
  decode(): void;
  getFrameInfo(): { readonly width: number; readonly height: number; readonly componentCount: number };
  getDecodedBuffer(): Uint8Array;
}
interface JpegCodec {
  readonly JPEGDecoder: new () => JpegDecoder;
}

let decoder: Promise<JpegDecoder> | undefined;

/**
 * @param bytes - a complete file, JPEG or not
 * @returns RGB pixels, or undefined for files left to sharp: other formats, large images, images with EXIF data (which
 *   may rotate them), grey, CMYK, and damaged files (for which sharp has better error messages)
 */
export async function decodeSmallJpeg(bytes: Uint8Array): Promise<Pixels | undefined> {
  if (!isPlainJpeg(bytes)) return undefined;
  decoder ??= openDecoder();
  const opened = await decoder;
  try {
    opened.getEncodedBuffer(bytes.length).set(bytes);
    opened.decode();
  } catch {
    decoder = undefined; // its state is undefined after a failure
    return undefined;
  }
  const { width, height, componentCount } = opened.getFrameInfo();
  if (componentCount !== 3) return undefined;
  return { data: opened.getDecodedBuffer().slice(), width, height };
}

async function openDecoder(): Promise<JpegDecoder> {
  const load = createRequire(import.meta.url)(
    '@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs',
  ) as () => Promise<JpegCodec>;
  return new (await load()).JPEGDecoder();
}

/** Larger images gain nothing and would grow the codec's memory permanently. */
const largestPixels = 512 * 512;

/** Whether it is a small baseline or progressive JPEG with three components, without EXIF data or Adobe's colour marker. */
function isPlainJpeg(bytes: Uint8Array): boolean {
  for (const segment of jpegSegments(bytes)) {
    const frame = frameOf(segment);
    const { width = 0, height = 0, components } = frame ?? {};
    if (frame !== undefined) return components === 3 && width * height > 0 && width * height <= largestPixels;
    if ([0xe1, 0xe2, 0xee].includes(segment.marker)) return false;
  }
  return false;
}
