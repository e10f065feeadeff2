/** @returns the median; for an even count, the upper of the two middle values */
export const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;

export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** Results of a benchmark's rounds, rounded to three decimals. */
export function spread(values: readonly number[]): Spread {
  const rounded = (value: number): number => Number(value.toFixed(3));
  return {
    median: rounded(median(values)),
    least: rounded(Math.min(...values)),
    most: rounded(Math.max(...values)),
  };
}
