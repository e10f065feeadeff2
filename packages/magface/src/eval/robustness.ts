/**
 * Measures how a model's quality responds to deliberate damage. A good quality falls as the damage of a face grows, and
 * predicts the distance of the damaged face from the clean one:
 *
 *     ρ_fall = mean over faces of Spearman(strength, magnitude),   −1 at best
 *     ρ_loss = Spearman(magnitude lost, 1 − cosine to the clean face) over all faces and steps,   1 at best
 */
import { ConfigError } from '../errors.ts';
import { quantile } from '../quantile.ts';
import { randomStream } from '../random.ts';
import type { Interval } from './bootstrap.ts';
import { spearman } from './rank-correlation.ts';

/** One face under one kind of damage. Both arrays have S + 1 values, the clean face first. */
export interface DamageCurve {
  readonly magnitudes: readonly number[];
  /** Cosine to the clean face; 1 for the first. */
  readonly similarities: readonly number[];
}

/** A figure with its interval by a bootstrap over faces; null if nothing changed. */
export interface Estimate {
  readonly value: number | null;
  readonly interval: Interval | null;
}

/** All faces at one step. */
export interface DamageStep {
  /** 0 to 1. */
  readonly strength: number;
  /** Quartiles over faces. */
  readonly magnitude: Quartiles;
  readonly similarity: Quartiles;
}

/** The 25th, 50th and 75th percentile. */
export interface Quartiles {
  readonly p25: number;
  readonly p50: number;
  readonly p75: number;
}

/** Results for one kind of damage. */
export interface DamageReport {
  readonly kind: string;
  readonly steps: readonly DamageStep[];
  /** ρ_fall. */
  readonly fall: Estimate;
  /** ρ_loss. */
  readonly loss: Estimate;
}

/** The robustness report of a model. */
export interface RobustnessReport {
  readonly faces: number;
  /** S + 1 strengths from 0 to 1. */
  readonly strengths: readonly number[];
  readonly kinds: readonly DamageReport[];
  /** Over all kinds. */
  readonly fall: Estimate;
  readonly loss: Estimate;
}

/** Options of the bootstrap over faces. */
export interface RobustnessOptions {
  /** Draws of the bootstrap. @default 200 */
  readonly replicates?: number;
  /** Share of draws within an interval, in (0, 1). @default 0.95 */
  readonly confidence?: number;
  /** @default 1 */
  readonly seed?: number;
}

/**
 * Correlates magnitude with damage, and lost magnitude with lost similarity.
 *
 * @param curves - (F) curves per kind, with the same faces in the same order
 * @param strengths - (S + 1), from 0
 * @throws {ConfigError} if there are no faces, or fewer than two steps of damage
 */
export function robustnessReport(
  curves: ReadonlyMap<string, readonly DamageCurve[]>,
  strengths: readonly number[],
  options: RobustnessOptions = {},
): RobustnessReport {
  const faces = [...curves.values()][0]?.length ?? 0;
  if (faces === 0)
    throw new ConfigError('faces', {
      expected: 'faces to measure',
      problem: 'none could be read',
      remedy: 'pass other images',
    });
  if (strengths.length < 3)
    throw new ConfigError('per-kind', {
      expected: 'at least two steps of damage',
      received: strengths.length - 1,
      remedy: 'raise the number',
    });
  const estimate = estimator(faces, options);
  const kinds = [...curves].map(
    ([kind, kindCurves]): DamageReport => ({
      kind,
      steps: strengths.map((strength, step) => ({
        strength,
        magnitude: quartiles(kindCurves.map(({ magnitudes }) => magnitudes[step]!)),
        similarity: quartiles(kindCurves.map(({ similarities }) => similarities[step]!)),
      })),
      ...correlations([kindCurves], strengths, estimate),
    }),
  );
  return { faces, strengths, kinds, ...correlations([...curves.values()], strengths, estimate) };
}

/** Computes a figure from the indices of the drawn faces. */
type Statistic = (drawn: readonly number[]) => number;

/** @param kinds - (kinds, F) curves */
function correlations(
  kinds: readonly (readonly DamageCurve[])[],
  strengths: readonly number[],
  estimate: (statistic: Statistic) => Estimate,
): Pick<DamageReport, 'fall' | 'loss'> {
  const falls = kinds.map((curves) => curves.map(({ magnitudes }) => spearman(strengths, magnitudes)));
  const losses = kinds.map((curves) => curves.map(lossesOf));
  return {
    fall: estimate((drawn) => mean(falls.flatMap((kind) => drawn.map((face) => kind[face]!)))),
    loss: estimate((drawn) => {
      const points = losses.flatMap((kind) => drawn.flatMap((face) => kind[face]!));
      return spearman(
        points.map(({ magnitude }) => magnitude),
        points.map(({ similarity }) => similarity),
      );
    }),
  };
}

/** The losses at each step, without the clean face, which loses nothing. */
function lossesOf({ magnitudes, similarities }: DamageCurve): { magnitude: number; similarity: number }[] {
  return magnitudes
    .slice(1)
    .map((magnitude, at) => ({ magnitude: magnitudes[0]! - magnitude, similarity: 1 - similarities[at + 1]! }));
}

/** The bootstrap draws whole faces, because the steps of one face depend on each other. */
function estimator(faces: number, options: RobustnessOptions): (statistic: Statistic) => Estimate {
  const { replicates = 200, confidence = 0.95, seed = 1 } = options;
  const random = randomStream(seed);
  const draws = Array.from({ length: replicates }, () =>
    Array.from({ length: faces }, () => Math.floor(random() * faces)),
  );
  const all = Array.from({ length: faces }, (_, face) => face);
  return (statistic) => {
    const value = statistic(all);
    if (Number.isNaN(value)) return { value: null, interval: null };
    const drawn = Float64Array.from(draws, statistic)
      .filter((figure) => !Number.isNaN(figure))
      .sort();
    const outside = (1 - confidence) / 2;
    return { value, interval: [quantile(drawn, outside), quantile(drawn, 1 - outside)] };
  };
}

/** The mean without NaN, which a face has if the damage changes nothing. */
function mean(values: readonly number[]): number {
  const known = values.filter((value) => !Number.isNaN(value));
  return known.reduce((sum, value) => sum + value, 0) / known.length;
}

function quartiles(values: readonly number[]): Quartiles {
  const sorted = Float64Array.from(values).sort();
  return { p25: quantile(sorted, 0.25), p50: quantile(sorted, 0.5), p75: quantile(sorted, 0.75) };
}
