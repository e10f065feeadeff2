/** Five colours of quality for face boxes in a report. */
import { qualityColours as steps } from '../quality-steps.ts';
import { threeFigures } from './page.ts';
import type { ReportFace } from './report-data.ts';

/** Colours of faces. */
export interface QualityScale {
  /** CSS that sets an element's `--quality` and text colour. */
  readonly css: (face: ReportFace) => string;
  /** Meaning of each colour, the poorest first. */
  readonly legend: readonly { readonly colour: string; readonly words: string }[];
}

/**
 * By score in steps of 20; without scores by magnitude, in five equal steps between the run's own extremes.
 *
 * @param scored - whether the model has a calibration
 */
export function qualityScale(faces: readonly ReportFace[], scored: boolean): QualityScale {
  let [low, high] = [0, 100];
  if (!scored) {
    low = faces.reduce((least, { magnitude }) => Math.min(least, magnitude), Number.POSITIVE_INFINITY);
    high = faces.reduce((most, { magnitude }) => Math.max(most, magnitude), 0);
  }
  const width = (high - low) / steps.length;
  const stepOf = ({ quality, magnitude }: ReportFace): number => {
    const value = scored ? (quality ?? 0) : magnitude;
    return width > 0 ? Math.min(steps.length - 1, Math.floor((value - low) / width)) : 2;
  };
  const edge = (step: number): string => threeFigures(low + step * width);
  const words = (step: number): string => {
    if (!scored) return `${edge(step)} to ${edge(step + 1)}`;
    return `${20 * step} to ${step === steps.length - 1 ? 100 : 20 * step + 19}`;
  };
  return {
    css: (face) => {
      const { colour, on } = steps[stepOf(face)]!;
      return `--quality:${colour};--on-quality:${on}`;
    },
    legend: faces.length === 0 ? [] : steps.map(({ colour }, step) => ({ colour, words: words(step) })),
  };
}
