/**
 * Reasons for a face's low quality, in plain words. Node and the browser share these rules and limits. They explain a
 * magnitude and never change it.
 */
import { inverseOf, isOutside, mapped, template } from './align.ts';
import { blocksOutside, type CoveredParts, coveredParts } from './covered-parts.ts';
import { edgeWidth, type Luma, lightOf, lumaOf, noiseOf } from './crop-luma.ts';
import {
  type AffineMatrix,
  type Box,
  type Landmarks,
  type Reason,
  type ReasonCode,
  type VisibleReasonCode,
  visibleReasons,
} from './face.ts';
import { tiltOf, turnOf } from './head-pose.ts';
import type { ImageSize, Pixels } from './pixels.ts';

/** Input of the rules. */
export interface FaceView {
  /** (112, 112, 3) uint8 RGB: the aligned face. */
  readonly crop: Pixels;
  readonly box: Box;
  readonly landmarks: Landmarks;
  /** Maps the image to the crop. */
  readonly alignment: AffineMatrix;
  /** Size of the whole image, in pixels. */
  readonly image: ImageSize;
}

/** What several rules measure with. */
interface MeasuredFace extends FaceView {
  readonly luma: Luma;
  readonly light: { readonly brightness: number; readonly contrast: number };
  readonly covered: CoveredParts;
}

/** A rule: values beyond `limit` are bad, towards `worst`. */
interface Rule {
  readonly measure: (face: MeasuredFace) => number;
  /** What is measured, for messages. */
  readonly what: string;
  readonly unit: string;
  /** Beyond it, the value explains a quality below {@link fine}. */
  readonly limit: number;
  /** Beyond it, the value is named even if the quality is high or unknown. */
  readonly gross: number;
  /** The value of the worst possible face, used to sort a face's reasons. */
  readonly worst: number;
}

/** From this quality on, only gross defects are named. */
const fine = 60;
/** Below this quality, a face without a visible defect is told to be little distinctive. */
const poor = 20;

/** Nine in ten of LFW's faces are within the limit of `turned_away`, 98 to 99.5 % of LFW's and CFP's frontal ones within the others. */
export const reasonRules: Readonly<Record<VisibleReasonCode, Rule>> = {
  // In an aligned face the eyes are 35 pixels apart. Below 20, most of what the recogniser sees is interpolated.
  face_too_small: { measure: eyeDistance, what: 'eyes', unit: ' pixels apart', limit: 20, gross: 16, worst: 0 },
  // LFW's median face measures 0.9, and 1.3, 1.7 and 2.1 after a blur of σ 1, 1.5 and 2.
  blurred: {
    measure: blurOf,
    what: 'edges',
    unit: ' pixels wide in the aligned face',
    limit: 1.35,
    gross: 1.5,
    worst: 5,
  },
  noisy: { measure: ({ luma }) => noiseOf(luma), what: 'noise', unit: ' of 255', limit: 4, gross: 8, worst: 50 },
  too_dark: {
    measure: ({ light }) => light.brightness,
    what: 'brightness',
    unit: ' of 255',
    limit: 60,
    gross: 40,
    worst: 0,
  },
  too_bright: {
    measure: ({ light }) => light.brightness,
    what: 'brightness',
    unit: ' of 255',
    limit: 195,
    gross: 215,
    worst: 255,
  },
  low_contrast: { measure: ({ light }) => light.contrast, what: 'contrast', unit: ' %', limit: 13, gross: 8, worst: 0 },
  turned_away: {
    measure: ({ landmarks }) => turnOf(landmarks),
    what: 'about',
    unit: '° to the side',
    limit: 30,
    gross: 40,
    worst: 70,
  },
  tilted: {
    measure: ({ landmarks }) => Math.abs(tiltOf(landmarks)),
    what: 'about',
    unit: '° up or down',
    limit: 22,
    gross: 30,
    worst: 60,
  },
  cut_off: { measure: shareOutside, what: 'share outside the image', unit: ' %', limit: 4, gross: 20, worst: 60 },
  // Probabilities. Beards look a little like masks, and fringes are covers of the brow.
  eyes_covered: {
    measure: ({ covered }) => 100 * covered.eyes,
    what: 'probability',
    unit: ' %',
    limit: 50,
    gross: 80,
    worst: 100,
  },
  mouth_covered: {
    measure: ({ covered }) => 100 * covered.mouth,
    what: 'probability',
    unit: ' %',
    limit: 70,
    gross: 97,
    worst: 100,
  },
  brow_covered: {
    measure: ({ covered }) => 100 * covered.brow,
    what: 'probability',
    unit: ' %',
    limit: 60,
    gross: 97,
    worst: 100,
  },
};

/** Every code that a face may have. */
export const reasonCodes: readonly ReasonCode[] = [...visibleReasons, 'not_distinctive'];

/**
 * @param quality - of the face. @default unknown: only gross defects are named
 * @returns the reasons for a face's low quality, worst first
 */
export function findReasons(face: FaceView, quality?: number): Reason[] {
  const measured = measure(face);
  const broken = Object.entries(reasonRules).flatMap(([code, rule]) => {
    const value = rule.measure(measured);
    const bound = quality !== undefined && quality < fine ? rule.limit : rule.gross;
    if ((value - bound) / (rule.worst - bound) <= 0) return [];
    const badness = (value - rule.limit) / (rule.worst - rule.limit); // 0 at the limit, 1 at the worst
    return [{ reason: { code: code as ReasonCode, value: rounded(value) }, badness }];
  });
  if (broken.length === 0 && quality !== undefined && quality < poor)
    return [{ code: 'not_distinctive', value: rounded(quality) }];
  return broken.sort((a, b) => b.badness - a.badness).map(({ reason }) => reason);
}

/** @returns the value of one rule */
export const measureReason = (code: VisibleReasonCode, face: FaceView): number =>
  reasonRules[code].measure(measure(face));

function measure(face: FaceView): MeasuredFace {
  const luma = lumaOf(face.crop);
  const covered = coveredParts(luma, blocksOutside(face.alignment, face.image));
  return { ...face, luma, light: lightOf(luma), covered };
}

/** @returns a phrase such as `blurred: edges 2.1 pixels wide in the aligned face, at most 1.35 is good` */
export function describeReason({ code, value }: Reason): string {
  if (code === 'not_distinctive')
    return 'not distinctive: the recogniser finds little that tells this face from others';
  const name = code.replaceAll('_', ' ');
  const { what, unit, limit, worst } = reasonRules[code];
  if (what === 'probability') return `${name}${code === 'eyes_covered' ? ' or closed' : ''}: ${value}${unit} probable`;
  const bound = worst < limit ? 'at least' : 'at most';
  return `${name}: ${what} ${value}${unit}, ${bound} ${limit} is good`;
}

const rounded = (value: number): number => Number(value.toFixed(1));

/** Taken from the alignment, because the landmarks of a turned face are too close together. */
function eyeDistance({ alignment: [[a], [d]] }: FaceView): number {
  return (template[1][0] - template[0][0]) / Math.hypot(a, d);
}

/** Width of edges, in steps of one pixel of the photo or the crop, whichever is larger: an enlarged small face is not blurred. */
function blurOf(face: MeasuredFace): number {
  const enlarged = (template[1][0] - template[0][0]) / Math.max(1, eyeDistance(face));
  return edgeWidth(face.luma, Math.min(8, Math.max(1, Math.round(enlarged))));
}

/** The crop's part from brows to chin, cheek to cheek, and the distance of the points that are looked at. */
const seen = { left: 20, right: 92, top: 32, bottom: 112, step: 4 } as const;

/** Share of the face outside the image, in per cent. */
function shareOutside({ alignment, image }: FaceView): number {
  const back = inverseOf(alignment);
  let [outside, count] = [0, 0];
  for (let y = seen.top + seen.step / 2; y < seen.bottom; y += seen.step)
    for (let x = seen.left + seen.step / 2; x < seen.right; x += seen.step) {
      if (isOutside(mapped(back, [x, y]), image)) outside++;
      count++;
    }
  return (100 * outside) / count;
}
