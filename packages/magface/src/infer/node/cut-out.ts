/** Cuts aligned faces of any size out of their photo. */
import { scaledMatrix, templateSize } from '../../align.ts';
import { ConfigError } from '../../errors.ts';
import type { AnalyzedFace } from '../../face.ts';
import type { Pixels } from '../../pixels.ts';
import { cutFace as cut, sceneOf } from '../scene.ts';
import { type ImageInput, type ReadImageOptions, readImage } from './read-image.ts';

/** Size of the crop, and limits of the photo. */
export interface CutOptions extends ReadImageOptions {
  /** Width and height of the crop in pixels. @default 112, the input size of recognisers */
  readonly size?: number | undefined;
}

/** The alignment of a face and its crop of 112x112. */
type Cuttable = Pick<AnalyzedFace, 'alignment' | 'crop'>;

/** A crop of this size takes 48 MB. */
const largestSize = 4096;

/**
 * Cuts a face out of its photo with the alignment that `analyze` found, at a size of your choice.
 *
 * @param input - the photo that the face was found in
 * @returns (size, size, 3) uint8 RGB: the same area as `face.crop`, black outside the photo
 * @throws {ConfigError} if the size is not a whole number from 1 to 4096
 * @throws {ImageError} if the photo cannot be read
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

/** Like {@link cutFace}, for several faces of one photo, which is read once. */
export async function cutFaces(
  input: ImageInput,
  faces: readonly Cuttable[],
  options: CutOptions = {},
): Promise<Pixels[]> {
  const { size = templateSize } = options;
  if (!Number.isInteger(size) || size < 1 || size > largestSize)
    throw new ConfigError('size', {
      expected: `a whole number from 1 to ${largestSize} as size`,
      received: size,
      remedy: 'pass another size',
    });
  if (size === templateSize) return faces.map(({ crop }) => crop);
  const scene = sceneOf(await readImage(input, options));
  return faces.map(({ alignment }) => cut(scene, scaledMatrix(alignment, size / templateSize), size));
}
