/**
 * A quantile by linear interpolation between order statistics, numpy's default.
 *
 * @param sorted - ascending
 * @param p - 0 to 1
 * @returns NaN if there are no values
 */
export function quantile(sorted: Float64Array, p: number): number {
  const at = p * (sorted.length - 1);
  const below = Math.floor(at);
  const [low, high] = [sorted[below]!, sorted[Math.min(below + 1, sorted.length - 1)]!];
  return low + (high - low) * (at - below);
}
