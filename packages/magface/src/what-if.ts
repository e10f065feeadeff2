/**
 * Estimates of the quality that a face would have without one of its defects, from tables measured on reference faces
 * (`scripts/model-scale.ts`). A row says what faces of a defect's size measure with it and without it, in the mean, and how
 * much of a face's own difference from the mean remains:
 *
 *     magnitude without = row.without + row.kept · (magnitude − row.with)
 *
 * Other defects of the face remain as they are only as far as the magnitude shows them: it is an estimate.
 */
import type { Estimate, Reason, VisibleReasonCode } from './face.ts';
import { type Calibration, qualityScore, type RemedyRow } from './quality.ts';

/** A smaller gain is not worth telling. */
const leastGain = 5;
/** Reference faces that count as frontal are turned by so much in the mean, in degrees. */
const frontal = 5;

/**
 * @param reasons - of the face, worst first
 * @returns estimates in the same order, for the reasons that the model has tables for; none if it has no calibration
 */
export function estimateRemedies(
  magnitude: number,
  reasons: readonly Reason[],
  calibration: Calibration | undefined,
): Estimate[] {
  if (calibration?.remedies === undefined) return [];
  const { remedies } = calibration;
  return reasons.flatMap(({ code, value }): Estimate[] => {
    if (code === 'not_distinctive') return [];
    const rows = remedies[code];
    if (rows === undefined || rows.length === 0) return [];
    const row = rowAt(rows, value);
    const quality = qualityScore(row.without + row.kept * (magnitude - row.with), calibration);
    if (quality < qualityScore(magnitude, calibration) + leastGain) return [];
    const by = code === 'turned_away' ? { by: Math.max(5, 5 * Math.round((value - frontal) / 5)) } : {};
    return [{ code, ...by, quality: Math.round(quality) }];
  });
}

/** The last row that the value has reached, else the first. */
function rowAt(rows: readonly RemedyRow[], value: number): RemedyRow {
  const rising = rows.at(-1)!.from >= rows[0]!.from;
  return rows.findLast(({ from }) => (rising ? value >= from : value <= from)) ?? rows[0]!;
}

const remedyWords: Readonly<Record<VisibleReasonCode, string>> = {
  face_too_small: 'larger in the photo',
  blurred: 'in focus',
  noisy: 'without noise',
  too_dark: 'with more light',
  too_bright: 'with less light',
  low_contrast: 'with more contrast',
  turned_away: 'turned towards the camera',
  tilted: 'with a level head',
  cut_off: 'with the whole face in the photo',
  eyes_covered: 'with uncovered eyes',
  mouth_covered: 'with an uncovered mouth',
  brow_covered: 'with an uncovered brow',
};

/** @returns a phrase such as `turned towards the camera by 15 degrees: about 68 (estimate)` */
export function describeEstimate({ code, by, quality }: Estimate): string {
  const angle = by === undefined ? '' : ` by ${by} degrees`;
  return `${remedyWords[code]}${angle}: about ${quality} (estimate)`;
}
