/**
 * A fast decoder for small JPEG files such as aligned faces, for which sharp's pipeline costs more than the decoding.
 * It is libjpeg-turbo as WebAssembly with the accurate DCT, so the pixels equal those of sharp and OpenCV, bit for bit.
 * (@julusian/jpeg-turbo is faster still but sets the fast DCT, which moves magnitudes by up to 0.2 of 17.)
 */
import { createRequire } from 'node:module';
import type { Pixels } from '../../pixels.ts';

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
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return false;
  for (let at = 2; at + 9 < bytes.length && bytes[at] === 0xff; ) {
    const [marker, length] = [bytes[at + 1]!, bytes[at + 2]! * 256 + bytes[at + 3]!];
    if (marker >= 0xc0 && marker <= 0xc2) {
      const [height, width] = [bytes[at + 5]! * 256 + bytes[at + 6]!, bytes[at + 7]! * 256 + bytes[at + 8]!];
      return bytes[at + 9] === 3 && width * height > 0 && width * height <= largestPixels;
    }
    if (marker === 0xe1 || marker === 0xe2 || marker === 0xee || length < 2) return false;
    at += 2 + length;
  }
  return false;
}
