/** Aligned faces of any size. */
import { scaledMatrix, templateSize } from '../align.ts';
import type { AnalyzedFace } from '../face.ts';
import { cutFace } from '../infer/cut-face.ts';
import { readImage } from '../infer/node/read-image.ts';
import { sceneOf } from '../infer/scene.ts';
import type { Pixels } from '../pixels.ts';

/** @returns (size, size, 3) uint8 RGB for each face; cut out of the photo anew where `size` is not the template's */
export async function cutFaces(path: string, faces: readonly AnalyzedFace[], size: number): Promise<Pixels[]> {
  if (size === templateSize) return faces.map(({ crop }) => crop);
  const scene = sceneOf(await readImage(path));
  return faces.map(({ alignment }) => cutFace(scene, scaledMatrix(alignment, size / templateSize), size));
}
