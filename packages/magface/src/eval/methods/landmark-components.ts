/**
 * Components of ISO/IEC 29794-5 that need lids, lips or the chin, by OFIQ's formulas from 68 landmarks of the aligned crop. M is
 * the middle of the eyes, T the distance from M to the chin, H the height of the photo:
 *
 *     eyes-open       min over both eyes of the widest pair of lids / T   score 100 σ(x; 0.02, 0.01)
 *     mouth-closed    widest pair of inner lips / T                       score 100 (1 − σ(x; 0.2, 0.06))
 *     head-size       T / H                                               score 200 (1 − σ(|x − 0.45|; 0, 0.05))
 *     upward-crop     from M down to the end of the photo / T             score 100 σ(x; 1.8, 0.1)
 *     downward-crop   from M up to the end of the photo / T               score 100 σ(x; 1.4, 0.1)
 *
 * This is no conformance: OFIQ finds 98 landmarks by another network, in the photo.
 *
 * @see ISO/IEC 29794-5:2025; OFIQ, https://github.com/BSI-OFIQ/OFIQ-Project
 */
import { inverseOf, mapped } from '../../align.ts';
import type { AnalyzedFace, Point } from '../../face.ts';
import type { ImageSize } from '../../pixels.ts';
import type { Component } from './components.ts';
import { sigma } from './components.ts';
import type { Landmarker } from './landmarker.ts';
import type { QualityMethod } from './method.ts';

/** The components by the standard's names. */
export type LandmarkComponentName = 'eyes-open' | 'mouth-closed' | 'head-size' | 'upward-crop' | 'downward-crop';

// Numbers of points in the markup of Multi-PIE, from 0.
const chin = 8;
const corners = [36, 39, 42, 45] as const;
const rightLids = [
  [37, 41],
  [38, 40],
] as const;
const leftLids = [
  [43, 47],
  [44, 46],
] as const;
const innerLips = [
  [61, 67],
  [62, 66],
  [63, 65],
] as const;

/** OFIQ's map from each raw value to 0 to 100. */
export const landmarkScores: Readonly<Record<LandmarkComponentName, (raw: number) => number>> = {
  'eyes-open': (raw) => 100 * sigma(raw, 0.02, 0.01),
  'mouth-closed': (raw) => 100 * (1 - sigma(raw, 0.2, 0.06)),
  'head-size': (raw) => 200 * (1 - sigma(Math.abs(raw - 0.45), 0, 0.05)),
  'upward-crop': (raw) => 100 * sigma(raw, 1.8, 0.1),
  'downward-crop': (raw) => 100 * sigma(raw, 1.4, 0.1),
};

const distance = ([ax, ay]: Point, [bx, by]: Point): number => Math.hypot(ax - bx, ay - by);

/** Lengths in a face, in the unit of its points. */
const lengths: Readonly<
  Record<LandmarkComponentName, (points: readonly Point[], eyes: Point, height: number) => number>
> = {
  'eyes-open': (points) => Math.min(widest(points, rightLids), widest(points, leftLids)),
  'mouth-closed': (points) => widest(points, innerLips),
  'head-size': (points, eyes) => distance(eyes, points[chin]!),
  'upward-crop': (_, [, y], height) => height - y,
  'downward-crop': (_, [, y]) => y,
};

const widest = (points: readonly Point[], pairs: readonly (readonly [number, number])[]): number =>
  Math.max(...pairs.map(([a, b]) => distance(points[a]!, points[b]!)));

/** @param points - (68) landmarks in the markup of Multi-PIE, in pixels of the photo */
export function landmarkComponent(name: LandmarkComponentName, points: readonly Point[], image: ImageSize): Component {
  const mean = (axis: 0 | 1): number => corners.reduce((sum, corner) => sum + points[corner]![axis] / 4, 0);
  const eyes: Point = [mean(0), mean(1)];
  const whole = name === 'head-size' ? image.height : distance(eyes, points[chin]!);
  const raw = lengths[name](points, eyes, image.height) / whole;
  return { raw, score: landmarkScores[name](raw) };
}

export const isLandmarkComponent = (name: string): name is LandmarkComponentName => Object.hasOwn(landmarkScores, name);

/** Components of the photo around the face, which an aligned face does not show. */
const framing: ReadonlySet<LandmarkComponentName> = new Set(['head-size', 'upward-crop', 'downward-crop']);

/** As OFIQ marks it. */
const notAssessed = -1;

/** Whether the image is the aligned face itself, so that the photo is unknown. */
const isWholeImage = ({ alignment: [[a, , c], [, e, f]] }: AnalyzedFace): boolean =>
  a === 1 && e === 1 && c === 0 && f === 0;

/** The component as a method, which does not own the landmarker. -1 where an aligned face does not show it. */
export const landmarkMethod = (name: LandmarkComponentName, landmarker: Landmarker): QualityMethod => ({
  name,
  measure: async (faces) => {
    const found = await landmarker.find(faces.map(({ crop }) => crop));
    return found.map((shares, i) => {
      const face = faces[i]!;
      if (framing.has(name) && isWholeImage(face)) return notAssessed;
      return landmarkComponent(name, inPhoto(shares, face), face.image).score;
    });
  },
  [Symbol.asyncDispose]: async () => undefined,
});

/** @param shares - points as shares of the crop's side @returns the points in pixels of the photo */
function inPhoto(shares: readonly Point[], { crop, alignment }: AnalyzedFace): Point[] {
  const back = inverseOf(alignment);
  return shares.map(([x, y]) => mapped(back, [x * crop.width, y * crop.height]));
}
