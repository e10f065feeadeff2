/** Aligned faces of any size, cut out of their photo anew. */
import { scaledMatrix, templateSize } from '../../align.ts';
import { ConfigError } from '../../errors.ts';
import type { AnalyzedFace } from '../../face.ts';
import type { Pixels } from '../../pixels.ts';
import { cutFace as cut } from '../cut-face.ts';
import { sceneOf } from '../scene.ts';
import { type ImageInput, type ReadImageOptions, readImage } from './read-image.ts';

/** How large a face is cut, and what its photo may cost. */
export interface CutOptions extends ReadImageOptions {
  /** Side of the crop in pixels. @default 112, as recognisers take it */
  readonly size?: number | undefined;
}

/** What of a face says where it lies, and holds its crop of 112 x 112. */
type Cuttable = Pick<AnalyzedFace, 'alignment' | 'crop'>;

/** Larger than any face of a photo; a crop of it takes 48 MB. */
const largestSize = 4096;

/**
 * @param input - the photo that the face was found in
 * @returns (size, size, 3) uint8 RGB: the same cut as `face.crop` in the photo's own detail, black where the photo ends
 * @throws {ConfigError} when the size is none from 1 to 4096
 * @throws {ImageError} when the photo cannot be read any more
 *
 * @example
 * ```ts
 * import { cutFace, MagFace } from 'magface';
 *
 * await using magface = await MagFace.load();
 * const [face] = await magface.analyze('ann.jpg');
 * if (face === undefined) throw new Error('Expected a face.');
 * const { width, height, data } = await cutFace('ann.jpg', face, { size: 448 });
 * console.log(width, height, data.length);
 * ```
 */
export async function cutFace(input: ImageInput, face: Cuttable, options: CutOptions = {}): Promise<Pixels> {
  return (await cutFaces(input, [face], options))[0]!;
}

/** The same for several faces of one photo, which is read once. */
export async function cutFaces(
  input: ImageInput,
  faces: readonly Cuttable[],
  options: CutOptions = {},
): Promise<Pixels[]> {
  const { size = templateSize } = options;
  if (!Number.isInteger(size) || size < 1 || size > largestSize)
    throw new ConfigError('size', `Expected a whole number from 1 to ${largestSize} as size but received ${size}.`);
  if (size === templateSize) return faces.map(({ crop }) => crop);
  const scene = sceneOf(await readImage(input, options));
  return faces.map(({ alignment }) => cut(scene, scaledMatrix(alignment, size / templateSize), size));
}
