/** The one face that an image is about: its largest. */
import { ImageError } from '../errors.ts';
import type { Engine } from './engine.ts';
import type { ServedFace } from './engine-messages.ts';
import type { UploadedImage } from './uploads.ts';

/**
 * @returns one face an image
 * @throws {ImageError} the first image's that cannot be used or has no face
 */
export function largestFaces(
  images: readonly UploadedImage[],
  engine: Engine,
  { signal, aligned }: { readonly signal: AbortSignal; readonly aligned: boolean },
): Promise<ServedFace[]> {
  const asked = { aligned: isAligned(aligned, engine), minScore: undefined, maxFaces: 1 };
  return Promise.all(
    images.map(async ({ name, bytes }) => {
      const { faces } = await engine.analyze(bytes, asked, { name, signal });
      if (faces[0] !== undefined) return faces[0];
      throw new ImageError('no_face', name, `Expected a face in ${name} but found none: send another photo.`);
    }),
  );
}

/** A service without a detector takes every image for an aligned face. */
export const isAligned = (asked: boolean, { models }: Engine): boolean => asked || models.detector === undefined;
