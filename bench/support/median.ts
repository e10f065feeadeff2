/** @returns the middle value; of an even number, the upper of the two */
export const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;

export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** What the rounds of a benchmark gave, to three decimals. */
export function spread(values: readonly number[]): Spread {
  const rounded = (value: number): number => Number(value.toFixed(3));
  return {
    median: rounded(median(values)),
    least: rounded(Math.min(...values)),
    most: rounded(Math.max(...values)),
  };
}
