/** Chooses the face of an image to enrol: the only one, if it is good enough to recognise the person by. */
import { ImageError } from '../errors.ts';
import type { AnalyzedFace } from '../face.ts';
import type { Calibration } from '../quality.ts';
import { describeReason } from '../reasons.ts';

/** A face below is called poor. With the default model, more than a fifth of its comparisons fail. */
export const defaultMinQuality = 20;

/**
 * The same for a scale with one width, as `magface calibrate` fits it without pairs. Such a scale says what share of ordinary
 * faces is poorer, so that 20 would reject a fifth of them.
 */
const defaultMinShare = 5;

/** @returns the quality below which a face is not enrolled, unless the user sets another */
export const minQualityOf = (calibration: Calibration | undefined): number =>
  calibration?.widthBelow === undefined ? defaultMinShare : defaultMinQuality;

/** Conditions for enrolling a face. */
export interface GateOptions {
  /** The user's name for the image. */
  readonly image: string;
  /** Minimum quality, 0 to 100. Without a scale, all faces pass. @default {@link minQualityOf} the calibration */
  readonly minQuality?: number | undefined;
  /** The model's scale, which determines the default. @default one width, so that 5 is enough */
  readonly calibration?: Calibration | undefined;
  /** Take the largest of several faces rather than refuse the image. @default false */
  readonly largest?: boolean | undefined;
  /** Names of the two options above, for error messages. @default as here */
  readonly flags?: { readonly minQuality: string; readonly largest: string } | undefined;
}

const ownNames = { minQuality: '`minQuality`', largest: '`largest: true`' } as const;

/** Fields of a face that are checked. */
export type GatedFace = Pick<AnalyzedFace, 'quality' | 'reasons'>;

/**
 * Picks the face of an image that may be enrolled.
 *
 * @param faces - of one image, the largest first
 * @returns the only face, or the largest one with `largest`
 * @throws {ImageError} `no_face`, `several_faces` or `quality_too_low`
 */
export function enrollable<Face extends GatedFace>(faces: readonly Face[], options: GateOptions): Face {
  const { image, calibration, minQuality = minQualityOf(calibration), largest = false, flags = ownNames } = options;
  const [face] = faces;
  if (face === undefined)
    throw new ImageError('no_face', image, {
      expected: 'a face',
      subject: image,
      problem: 'shows none',
      remedy: 'take another photo',
    });
  if (faces.length > 1 && !largest) {
    const remedy = `crop the image to the person, or use the largest face with ${flags.largest}`;
    throw new ImageError('several_faces', image, {
      expected: 'one face',
      subject: image,
      problem: `shows ${faces.length}`,
      remedy,
    });
  }
  const { quality } = face;
  if (quality === undefined || quality >= minQuality) return face;
  const why = face.reasons[0] === undefined ? '' : ` (${describeReason(face.reasons[0])})`;
  throw new ImageError('quality_too_low', image, {
    expected: `a face of quality ${minQuality} or more`,
    subject: image,
    problem: `shows one of quality ${Math.floor(10 * quality) / 10}${why}`,
    remedy: `take a better photo, or lower ${flags.minQuality}`,
  });
}
