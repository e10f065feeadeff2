/**
 * Reads training images from files or packed files as 112x112 BGR bytes, optionally mirrored or damaged. Uses the decoder of
 * inference, so that a model is trained on the pixels that it will be used on.
 */
import { readFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { Movement } from '../../degrade/move.ts';
import { firstLine, ShapeError } from '../../errors.ts';
import { type ByteSource, openBytesSync } from '../../format/byte-source.ts';
import { type PackedImage, readPackedImage } from '../../format/packed-image.ts';
import { readImage } from '../../infer/node/read-image.ts';
import type { Pixels } from '../../pixels.ts';
import type { AppliedDamage } from './draw-damages.ts';

/** Width and height of a training face, in pixels. */
export const faceSize = 112;
/** Bytes of a training face. */
export const faceBytes: number = faceSize * faceSize * 3;

/** A request to a worker. */
export interface DecodeRequest {
  /** (N, 112, 112, 3) uint8. */
  readonly slot: SharedArrayBuffer;
  readonly images: readonly ImageRequest[];
}

/** An image for one position of the slot. */
export interface ImageRequest {
  readonly position: number;
  readonly path: string;
  /** Its location in `path`, if that is a packed file. */
  readonly within?: PackedImage | undefined;
  readonly flipped: boolean;
  /** Damage applied afterwards. @default none */
  readonly damages?: readonly AppliedDamage[];
  /** Movement applied before. @default none */
  readonly moved?: Movement | undefined;
}

/** An unreadable image. */
export interface DecodeFailure {
  readonly position: number;
  readonly reason: string;
}

/**
 * @param into - (112, 112, 3) uint8, filled with BGR
 * @param flipped - whether to mirror left to right
 * @throws {Error} if the image cannot be used; a {@link ShapeError} if it has another size
 */
export async function decodeSample(path: string, into: Uint8Array, flipped: boolean): Promise<void> {
  await decodeFace(readFileSync(path), into, { flipped });
}

async function decodeFace(
  bytes: Buffer,
  into: Uint8Array,
  { flipped, damages = [], moved }: Pick<ImageRequest, 'flipped' | 'damages' | 'moved'>,
): Promise<void> {
  const face = await readImage(bytes);
  const { width, height } = face;
  if (width !== faceSize || height !== faceSize) {
    throw new ShapeError({
      expected: `an aligned face of ${faceSize}x${faceSize} pixels`,
      problem: `it has ${width}x${height}`,
      remedy: 'align it first (magface align)',
    });
  }
  if (damages.length === 0 && moved === undefined) return swapRedBlue(face.data, into, flipped);
  const { augmented } = await import('./augment.ts'); // loaded with its codec, which most runs do not need
  swapRedBlue(augmented(face, { flipped, damages, moved }).data, into);
}

/**
 * Turns the RGB of pictures into the BGR of batches, or back.
 *
 * @param data - (112, 112, 3) uint8
 * @param into - the same shape; receives the face, mirrored if `flipped`
 */
export function swapRedBlue(data: Pixels['data'], into: Pixels['data'], flipped: boolean = false): void {
  const row = faceSize * 3;
  for (let start = 0; start < faceBytes; start += row) {
    for (let x = 0; x < row; x += 3) {
      const at = start + x;
      const source = flipped ? start + row - 3 - x : at;
      into[at] = data[source + 2]!;
      into[at + 1] = data[source + 1]!;
      into[at + 2] = data[source]!;
    }
  }
}

/** Keeps sets of thousands of shards below the limit of open files. */
const mostOpenFiles = 32;

/** Decodes requests into the slots of their batches. Each worker has one; without workers the loader has one. */
export class SampleDecoder {
  /** Open files, most recently used last. */
  readonly #open = new Map<string, ByteSource>();

  /** @param signal - aborted once the remaining images are no longer needed @returns the unreadable images */
  async decode({ slot, images }: DecodeRequest, signal?: AbortSignal): Promise<readonly DecodeFailure[]> {
    const faces = new Uint8Array(slot);
    const failures: DecodeFailure[] = [];
    for (const [i, { position, path, within, ...augmentation }] of images.entries()) {
      if (i % 16 === 15) await setImmediate(); // so that an abort arrives
      if (signal?.aborted === true) break;
      const into = faces.subarray(position * faceBytes, (position + 1) * faceBytes);
      try {
        const bytes = within === undefined ? readFileSync(path) : readPackedImage(this.#source(within.file), within);
        await decodeFace(bytes, into, augmentation);
      } catch (error) {
        failures.push({ position, reason: firstLine(error) });
      }
    }
    return failures;
  }

  close(): void {
    for (const source of this.#open.values()) source.closeSync();
    this.#open.clear();
  }

  #source(file: string): ByteSource {
    const source = this.#open.get(file) ?? openBytesSync(file);
    this.#open.delete(file);
    this.#open.set(file, source);
    for (const [oldest, unused] of this.#open) {
      if (this.#open.size <= mostOpenFiles) break;
      this.#open.delete(oldest);
      unused.closeSync();
    }
    return source;
  }
}
