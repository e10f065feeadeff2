/** The subjects of an image: its largest face, or all faces. */
import { ImageError } from '../errors.ts';
import type { Engine } from './engine.ts';
import type { ServedFace } from './engine-request.ts';
import type { UploadedImage } from './uploads.ts';

interface Asking {
  readonly signal: AbortSignal;
  readonly aligned: boolean;
}

/**
 * @returns one face per image
 * @throws {ImageError} the first image's that cannot be used or has no face
 */
export async function largestFaces(
  images: readonly UploadedImage[],
  engine: Engine,
  asking: Asking,
): Promise<ServedFace[]> {
  return (await facesOf(images, engine, { ...asking, maxFaces: 1 })).map(([largest]) => largest!);
}

/**
 * @returns the faces of each image, at least one and at most `maxFaces`, the largest first
 * @throws {ImageError} the first image's that cannot be used or has no face
 */
export async function facesOf(
  images: readonly UploadedImage[],
  engine: Engine,
  { signal, aligned, maxFaces }: Asking & { readonly maxFaces: number },
): Promise<(readonly ServedFace[])[]> {
  const asked = { aligned: isAligned(aligned, engine), minScore: undefined, minFace: undefined, maxFaces };
  engine.expectRoom(images.length);
  return Promise.all(
    images.map(async ({ name, bytes }) => {
      const { faces } = await engine.analyze(bytes, asked, { name, signal });
      if (faces.length > 0) return faces;
      throw new ImageError('no_face', name, `Expected a face in ${name} but found none: send another photo.`);
    }),
  );
}

/** Without a detector every image counts as an aligned face. */
export const isAligned = (asked: boolean, { models }: Engine): boolean => asked || models.detector === undefined;
