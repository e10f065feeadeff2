/** Aligned faces of any size. */
import { type AffineMatrix, templateSize } from '../align.ts';
import type { AnalyzedFace } from '../face.ts';
import { cutFace } from '../infer/cut-face.ts';
import { readImage } from '../infer/node/read-image.ts';
import type { Pixels } from '../pixels.ts';

/** @returns (size, size, 3) uint8 RGB for each face; cut out of the photo anew where `size` is not the template's */
export async function cutFaces(path: string, faces: readonly AnalyzedFace[], size: number): Promise<Pixels[]> {
  if (size === templateSize) return faces.map(({ crop }) => crop);
  const image = await readImage(path);
  const scale = size / templateSize;
  const scaled = (matrix: AffineMatrix): AffineMatrix => {
    const [[a, b, c], [d, e, f]] = matrix;
    return [
      [scale * a, scale * b, scale * c],
      [scale * d, scale * e, scale * f],
    ];
  };
  return faces.map(({ alignment }) => cutFace(image, scaled(alignment), size));
}
