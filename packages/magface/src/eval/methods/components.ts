/**
 * Components of ISO/IEC 29794-5 that five landmarks and the aligned crop allow, by the formulas of its open reference
 * implementation OFIQ, each mapped to 0 to 100. This is no conformance: OFIQ aligns to 616x616, has 98 landmarks, and
 * measures luminance within their hull, where here it is the rectangle from brows to mouth.
 *
 * σ(x; x0, w) = 1 / (1 + exp((x0 − x) / w))
 *
 * `landmark-components.ts` has those that need lids, lips or the chin; `visible-components.ts` has measures of this package's own in
 * place of trained models. What needs more is left out: compression and expression (trained models), head coverings and
 * background (face parsing).
 *
 * @see ISO/IEC 29794-5:2025; OFIQ, https://github.com/BSI-OFIQ/OFIQ-Project
 */
import { mapped, template } from '../../align.ts';
import type { AnalyzedFace, Landmarks, Point } from '../../face.ts';
import { tiltOf, yawOf } from '../../head-pose.ts';
import { type CropRectangle, luminanceHistogram, meanColour } from './luminance.ts';

/** A component's measured value in its own unit, and its score. */
export interface Component {
  readonly raw: number;
  /** 0 to 100, not rounded, so that equal scores do not hide an order. */
  readonly score: number;
}

/** The components by the standard's names. */
export type ComponentName =
  | 'illumination-uniformity'
  | 'luminance-mean'
  | 'luminance-variance'
  | 'under-exposure'
  | 'over-exposure'
  | 'dynamic-range'
  | 'natural-colour'
  | 'eye-distance'
  | 'leftward-crop'
  | 'rightward-crop'
  | 'yaw'
  | 'pitch'
  | 'roll';

type Measured = Pick<AnalyzedFace, 'crop' | 'landmarks' | 'alignment' | 'image'>;

/** What a component's raw value is, for reports. */
export const componentUnits: Readonly<Record<ComponentName, string>> = {
  'illumination-uniformity': 'share that the luminance histograms of both cheeks have in common',
  'luminance-mean': 'mean luminance, 0 to 1',
  'luminance-variance': 'variance of luminance, 0 to 1',
  'under-exposure': 'share of pixels of luminance 0 to 25',
  'over-exposure': 'share of pixels of luminance 247 to 255',
  'dynamic-range': 'entropy of luminance in bits',
  'natural-colour': 'CIELAB distance of the cheeks from the colours of skin',
  'eye-distance': 'pixels of the photo between the eyes',
  'leftward-crop': 'eye distances from the left end of the photo to the nearer eye',
  'rightward-crop': 'eye distances from the right end of the photo to the nearer eye',
  yaw: 'degrees to the side',
  pitch: 'degrees up or down',
  roll: 'degrees of tilt',
};

/** σ of the formulas above. */
export const sigma = (x: number, x0: number, w: number): number => 1 / (1 + Math.exp((x0 - x) / w));
const clamp = (score: number): number => Math.min(100, Math.max(0, score));

/** From brows to mouth and cheek to cheek, in the crop. */
const faceRegion: CropRectangle = { left: 28, top: 36, right: 84, bottom: 104 };

/** OFIQ's map from each component's raw value to 0 to 100. */
export const componentScores: Readonly<Record<ComponentName, (raw: number) => number>> = {
  'illumination-uniformity': (raw) => clamp(100 * raw ** 0.3),
  'luminance-mean': (raw) => 100 * sigma(raw, 0.2, 0.05) * (1 - sigma(raw, 0.8, 0.05)),
  'luminance-variance': (raw) => clamp(100 * Math.sin(((60 * raw) / (60 * raw + 1)) * Math.PI)),
  'under-exposure': (raw) => clamp(120 * (0.832 - sigma(raw, 0.92, 0.05))),
  'over-exposure': (raw) => clamp(1 / (raw + 0.01)),
  'dynamic-range': (raw) => clamp(12.5 * raw),
  'natural-colour': (raw) => clamp(200 * (1 - sigma(raw, 0, 10))),
  'eye-distance': (raw) => 100 * sigma(raw, 70, 20),
  'leftward-crop': (raw) => 100 * sigma(raw, 0.9, 0.1),
  'rightward-crop': (raw) => 100 * sigma(raw, 0.9, 0.1),
  yaw: (raw) => poseScore(raw),
  pitch: (raw) => poseScore(raw),
  roll: (raw) => poseScore(raw),
};

/** The raw value of each component of a face, in the unit of {@link componentUnits}. */
const rawValues: Readonly<Record<ComponentName, (face: Measured) => number>> = {
  'illumination-uniformity': (face) => {
    const [left, right] = cheeks(face).map((zone) => luminanceHistogram(face.crop, zone)) as [
      Float64Array,
      Float64Array,
    ];
    return left.reduce((sum, share, i) => sum + Math.min(share, right[i]!), 0);
  },
  'luminance-mean': (face) => meanOf(histogramOf(face)),
  'luminance-variance': (face) => {
    const histogram = histogramOf(face);
    const mean = meanOf(histogram);
    return histogram.reduce((sum, share, i) => sum + share * (i / 255 - mean) ** 2, 0);
  },
  'under-exposure': (face) => shareOf(histogramOf(face), 0, 25),
  'over-exposure': (face) => shareOf(histogramOf(face), 247, 255),
  'dynamic-range': (face) =>
    -histogramOf(face).reduce((sum, share) => sum + (share === 0 ? 0 : share * Math.log2(share)), 0),
  /** Distance of the cheeks' mean colour from a* 5 to 25, b* 5 to 35; 100 if one is negative. */
  'natural-colour': (face) => {
    const [a, b] = meanColour(face.crop, cheeks(face));
    const beyond = (value: number, most: number): number => Math.max(0, 5 - value, value - most);
    return a >= 0 && b >= 0 ? Math.hypot(beyond(a, 25), beyond(b, 35)) : 100;
  },
  /** As of a face to the front. */
  'eye-distance': ({ landmarks }) => betweenEyes(landmarks) / Math.cos(yawOf(landmarks)),
  'leftward-crop': ({ landmarks }) => landmarks[0][0] / betweenEyes(landmarks),
  'rightward-crop': ({ landmarks, image }) => (image.width - landmarks[1][0]) / betweenEyes(landmarks),
  /** Estimated from the nose. */
  yaw: ({ landmarks }) => degrees(yawOf(landmarks)),
  /** Estimated from the nose's place between eyes and mouth. */
  pitch: ({ landmarks }) => tiltOf(landmarks),
  /** Between the line of the eyes and the photo's horizontal. */
  roll: ({ landmarks: [left, right] }) => degrees(Math.atan2(right[1] - left[1], right[0] - left[0])),
};

const betweenEyes = ([left, right]: Landmarks): number => Math.hypot(right[0] - left[0], right[1] - left[1]);

const degrees = (radians: number): number => (radians * 180) / Math.PI;

/** 100 · cos², and 0 from 90 degrees on. */
const poseScore = (raw: number): number => (Math.abs(raw) < 90 ? 100 * Math.cos((raw * Math.PI) / 180) ** 2 : 0);

export const componentNames: readonly ComponentName[] = Object.keys(componentScores) as ComponentName[];

/** Each component of a face. */
export const components: Readonly<Record<ComponentName, (face: Measured) => Component>> = Object.fromEntries(
  componentNames.map((name) => [
    name,
    (face: Measured): Component => {
      const raw = rawValues[name](face);
      return { raw, score: componentScores[name](raw) };
    },
  ]),
) as Record<ComponentName, (face: Measured) => Component>;

const histogramOf = ({ crop }: Measured): Float64Array => luminanceHistogram(crop, faceRegion);

const meanOf = (histogram: Float64Array): number => histogram.reduce((sum, share, i) => sum + (share * i) / 255, 0);

/** Share of pixels from one luminance to another, both included. */
const shareOf = (histogram: Float64Array, from: number, to: number): number =>
  histogram.subarray(from, to + 1).reduce((sum, share) => sum + share, 0);

/** The standard's zones on both cheeks: squares of 0.3 eye distances, half way from the eyes down to the mouth. */
function cheeks({ landmarks, alignment, crop }: Measured): CropRectangle[] {
  const [left, right, , mouthLeft, mouthRight] = landmarks.map((point) => mapped(alignment, point)) as unknown as [
    Point,
    Point,
    Point,
    Point,
    Point,
  ];
  const usual = template[1][0] - template[0][0];
  const size = Math.max(4, Math.floor(0.3 * Math.max(usual / 2, right[0] - left[0])));
  const eyes = (left[1] + right[1]) / 2;
  const down = Math.floor(((mouthLeft[1] + mouthRight[1]) / 2 - eyes) / 2);
  const zone = (x: number, y: number): CropRectangle => {
    const within = (value: number): number => Math.min(crop.width - size, Math.max(0, Math.floor(value)));
    const [from, top] = [within(x), within(y)];
    return { left: from, top, right: from + size, bottom: top + size };
  };
  return [zone(left[0] - size, left[1] + down), zone(right[0], right[1] + down)];
}
