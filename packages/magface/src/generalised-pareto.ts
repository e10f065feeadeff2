/**
 * The generalised Pareto distribution of what exceeds a high threshold,
 *
 *     P(X > x) = (1 + ξ x / σ)^(−1/ξ),   exp(−x / σ) for ξ = 0,
 *
 * fitted by its greatest posterior density with a normal prior of the shape ξ.
 *
 * @see Coles, "An introduction to statistical modeling of extreme values", Springer 2001, chapter 4
 */
import { MagfaceError } from './errors.ts';

/** A fitted tail. */
export interface GeneralisedPareto {
  /** ξ: below 0 the tail ends at −σ/ξ. */
  readonly shape: number;
  /** σ, above 0. */
  readonly scale: number;
}

/** Mean and standard deviation of the shape before any data. */
export interface ShapePrior {
  readonly mean: number;
  readonly deviation: number;
}

const [leastShape, greatestShape] = [-0.5, 0.5];
/** Below this, the limit ξ = 0 is used. */
const nearZero = 1e-9;

/**
 * @param excesses - above the threshold, at least 2, all above 0
 * @param prior - infinite deviation gives maximum likelihood
 * @param tolerance - of the shape, and of the scale relative to it
 * @returns shape in [−0.5, 0.5]
 * @throws {MagfaceError} `evaluation_impossible` without positive excesses
 */
export function fitGeneralisedPareto(
  excesses: ArrayLike<number>,
  prior: ShapePrior,
  tolerance = 1e-4,
): GeneralisedPareto {
  const x = Float64Array.from(excesses);
  const most = x.reduce((a, b) => Math.max(a, b), 0);
  const mean = x.reduce((a, b) => a + b, 0) / x.length;
  if (x.length < 2 || !(mean > 0))
    throw new MagfaceError('evaluation_impossible', {
      expected: 'two or more excesses above 0',
      received: `${x.length} with a mean of ${mean}`,
      remedy: 'add people',
    });
  const scaleAt = (shape: number): { readonly scale: number; readonly density: number } => {
    const least = shape < 0 ? -shape * most * (1 + 1e-9) : 0;
    const density = (logScale: number): number => logLikelihood(x, shape, Math.exp(logScale));
    const logScale = greatest(density, Math.log(Math.max(least, mean / 8)), Math.log(8 * mean), tolerance);
    return { scale: Math.exp(logScale), density: density(logScale) };
  };
  const posterior = (shape: number): number =>
    scaleAt(shape).density - ((shape - prior.mean) / prior.deviation) ** 2 / 2;
  const shape = greatest(posterior, leastShape, greatestShape, tolerance);
  return { shape, scale: scaleAt(shape).scale };
}

function logLikelihood(x: Float64Array, shape: number, scale: number): number {
  let sum = 0;
  if (Math.abs(shape) < nearZero) for (const value of x) sum += value / scale;
  else {
    for (const value of x) sum += Math.log1p(Math.max((shape * value) / scale, -1 + Number.EPSILON));
    sum *= 1 + 1 / shape;
  }
  return -x.length * Math.log(scale) - sum;
}

const golden = (Math.sqrt(5) - 1) / 2;

/** @returns where a function with one peak is greatest, by golden sections */
function greatest(f: (at: number) => number, low: number, high: number, tolerance: number): number {
  let [a, b] = [low, high];
  let [c, d] = [b - golden * (b - a), a + golden * (b - a)];
  let [fc, fd] = [f(c), f(d)];
  while (b - a > tolerance) {
    if (fc > fd) {
      [b, d, fd] = [d, c, fc];
      c = b - golden * (b - a);
      fc = f(c);
    } else {
      [a, c, fc] = [c, d, fd];
      d = a + golden * (b - a);
      fd = f(d);
    }
  }
  return (a + b) / 2;
}

/** @returns P(X > x); 1 up to 0 */
export function survival(x: number, { shape, scale }: GeneralisedPareto): number {
  if (x <= 0) return 1;
  if (Math.abs(shape) < nearZero) return Math.exp(-x / scale);
  const base = 1 + (shape * x) / scale;
  return base > 0 ? base ** (-1 / shape) : 0;
}
