/** Products of rows of numbers: embeddings, directions, sums of them. */

type Floats = Float32Array | Float64Array;

/** Product of two rows that begin at `i` and `j`. Four sums hide the latency of additions. */
export function product(a: Floats, i: number, b: Floats, j: number, dimension: number): number {
  const blocked = dimension - (dimension % 4);
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  for (let d = 0; d < blocked; d += 4) {
    s0 += a[i + d]! * b[j + d]!;
    s1 += a[i + d + 1]! * b[j + d + 1]!;
    s2 += a[i + d + 2]! * b[j + d + 2]!;
    s3 += a[i + d + 3]! * b[j + d + 3]!;
  }
  for (let d = blocked; d < dimension; d++) s0 += a[i + d]! * b[j + d]!;
  return s0 + s1 + s2 + s3;
}

/** @returns (N, D) the rows at length 1; one of zeros stays so */
export function unitRows(rows: readonly Float32Array[]): Float32Array {
  const dimension = rows[0]?.length ?? 0;
  const units = new Float32Array(rows.length * dimension);
  rows.forEach((row, i) => {
    const length = Math.sqrt(product(row, 0, row, 0, dimension));
    if (length > 0) for (let d = 0; d < dimension; d++) units[i * dimension + d] = row[d]! / length;
  });
  return units;
}

/** Rows per block: two blocks stay in a processor's cache. */
const block = 64;

/**
 * Multiplies every row with every other.
 *
 * @param rows - (N, D)
 * @param visit - receives each pair i < j once, block by block
 */
export function eachPair(
  rows: Float32Array,
  dimension: number,
  visit: (i: number, j: number, product: number) => void,
): void {
  const count = dimension === 0 ? 0 : rows.length / dimension;
  for (let top = 0; top < count; top += block)
    for (let side = top; side < count; side += block)
      for (let i = top; i < Math.min(top + block, count); i++)
        for (let j = Math.max(i + 1, side); j < Math.min(side + block, count); j++)
          visit(i, j, product(rows, i * dimension, rows, j * dimension, dimension));
}
