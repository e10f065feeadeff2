/** The subjects of an image: its largest face, or all faces. */
import { ImageError } from '../errors.ts';
import type { ServedFace } from './analyze-request.ts';
import type { InferenceQueue } from './inference-queue.ts';
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
  inference: InferenceQueue,
  asking: Asking,
): Promise<ServedFace[]> {
  return (await facesOf(images, inference, { ...asking, maxFaces: 1 })).map(([largest]) => largest!);
}

/**
 * @returns the faces of each image, at least one and at most `maxFaces`, the largest first
 * @throws {ImageError} the first image's that cannot be used or has no face
 */
export async function facesOf(
  images: readonly UploadedImage[],
  inference: InferenceQueue,
  { signal, aligned, maxFaces }: Asking & { readonly maxFaces: number },
): Promise<(readonly ServedFace[])[]> {
  const asked = { aligned: isAligned(aligned, inference), minScore: undefined, minFace: undefined, maxFaces };
  inference.expectRoom(images.length);
  return Promise.all(
    images.map(async ({ name, bytes }) => {
      const { faces } = await inference.analyze(bytes, asked, { name, signal });
      if (faces.length > 0) return faces;
      throw new ImageError('no_face', name, {
        expected: 'a face',
        subject: name,
        problem: 'shows none',
        remedy: 'send another photo',
      });
    }),
  );
}

/** Without a detector every image counts as an aligned face. */
export const isAligned = (asked: boolean, { models }: InferenceQueue): boolean =>
  asked || models.detector === undefined;
