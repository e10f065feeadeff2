/** Aligned faces of any size. */
import { alignmentMatrix, templateSize, warp } from '../align.ts';
import type { AnalyzedFace } from '../face.ts';
import { readImage } from '../infer/node/read-image.ts';
import type { Pixels } from '../pixels.ts';

/** @returns (size, size, 3) uint8 RGB for each face; cut out of the photo anew where `size` is not the template's */
export async function cutFaces(path: string, faces: readonly AnalyzedFace[], size: number): Promise<Pixels[]> {
  if (size === templateSize) return faces.map(({ crop }) => crop);
  const image = await readImage(path);
  return faces.map(({ landmarks, mouth }) => warp(image, alignmentMatrix(landmarks, mouth, size), size));
}
