/** What a data set holds: images, people, sizes, quality. */

import type { ImageSize } from '../../pixels.ts';
import { type Calibration, qualityScore } from '../../quality.ts';
import { quantile } from '../../quantile.ts';

/** Five quantiles and the extremes. */
export interface Spread {
  readonly least: number;
  readonly p5: number;
  readonly p25: number;
  readonly median: number;
  readonly p75: number;
  readonly p95: number;
  readonly most: number;
}

/** Figures of a set. */
export interface SetStatistics {
  readonly images: number;
  /** Labels that have an image. */
  readonly people: number;
  /** People with a single image. */
  readonly single: number;
  readonly imagesPerPerson: Spread;
  /** Sizes of images as `112x112`, the most frequent five. */
  readonly sizes: readonly { readonly size: string; readonly images: number }[];
  /** Images with another size than these, or an unreadable header. */
  readonly otherSizes: number;
  /** Lengths of the features. */
  readonly magnitude: Spread | null;
  /** Quality from 0 to 100; null if the model has no calibration. */
  readonly quality: Spread | null;
  /** Images by quality: 0 to 10, 10 to 20, ... 90 to 100. */
  readonly qualityHistogram: readonly number[] | null;
}

/** Facts of each image of a set. */
export interface ImageFacts {
  readonly people: readonly number[];
  /** Undefined for an unreadable header. */
  readonly sizes: readonly (ImageSize | undefined)[];
  /** 0 for an image without a face. */
  readonly magnitudes: readonly number[];
}

const shownSizes = 5;

export function setStatistics(facts: ImageFacts, calibration: Calibration | undefined): SetStatistics {
  const counts = [...tally(facts.people).values()];
  const sizes = [...tally(facts.sizes.flatMap((size) => (size === undefined ? [] : [`${size.width}x${size.height}`])))]
    .map(([size, images]) => ({ size, images }))
    .sort((a, b) => b.images - a.images)
    .slice(0, shownSizes);
  const magnitudes = facts.magnitudes.filter((magnitude) => magnitude > 0);
  const qualities = calibration && magnitudes.map((magnitude) => qualityScore(magnitude, calibration));
  const images = facts.people.length;
  return {
    ...{ images, people: counts.length, single: counts.filter((count) => count === 1).length },
    imagesPerPerson: spreadOf(counts)!,
    ...{ sizes, otherSizes: images - sizes.reduce((sum, size) => sum + size.images, 0) },
    magnitude: spreadOf(magnitudes),
    quality: qualities === undefined ? null : spreadOf(qualities),
    qualityHistogram: qualities === undefined ? null : histogram(qualities),
  };
}

function tally<T>(values: Iterable<T>): Map<T, number> {
  const counts = new Map<T, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

function spreadOf(values: readonly number[]): Spread | null {
  if (values.length === 0) return null;
  const sorted = Float64Array.from(values).sort();
  const at = (share: number): number => Number(quantile(sorted, share).toFixed(2));
  return {
    ...{ least: at(0), p5: at(0.05), p25: at(0.25), median: at(0.5) },
    ...{ p75: at(0.75), p95: at(0.95), most: at(1) },
  };
}

function histogram(qualities: readonly number[]): number[] {
  const bins = new Array<number>(10).fill(0);
  for (const quality of qualities) bins[Math.min(9, Math.floor(quality / 10))]!++;
  return bins;
}
