/** What the starting model knows of the training set: each person's mean direction, and how near a face comes to its own. */

/** Features as rows. */
export interface Rows {
  /** (N, D) */
  readonly values: Float32Array;
  readonly dimension: number;
}

/** @returns the same rows, each of length one; rows of zeros stay */
export function normalized({ values, dimension }: Rows): Rows {
  const unit = new Float32Array(values.length);
  for (let start = 0; start < values.length; start += dimension) {
    let sum = 0;
    for (let i = start; i < start + dimension; i++) sum += values[i]! ** 2;
    const factor = sum > 0 ? 1 / Math.sqrt(sum) : 0;
    for (let i = start; i < start + dimension; i++) unit[i] = values[i]! * factor;
  }
  return { values: unit, dimension };
}

/**
 * Sums of each class's directions.
 *
 * @param unit - (N, D) from {@link normalized}
 * @param labels - (N)
 * @returns (K, D); zeros where a class has no face
 */
export function classSums({ values, dimension }: Rows, labels: ArrayLike<number>, classes: number): Rows {
  const sums = new Float32Array(classes * dimension);
  for (let row = 0; row < labels.length; row++) {
    const [from, to] = [row * dimension, labels[row]! * dimension];
    for (let i = 0; i < dimension; i++) sums[to + i]! += values[from + i]!;
  }
  return { values: sums, dimension };
}

/** @returns (D, K): the rows of length one as columns, as the loss wants class centres */
export function asColumns(rows: Rows): Float32Array {
  const { values, dimension } = normalized(rows);
  const count = values.length / dimension;
  return Float32Array.from(values, (_, at) => values[(at % count) * dimension + Math.floor(at / count)]!);
}

/**
 * How recognisable faces are: the cosine of each to its person's mean over the *other* clean faces, which is about the
 * similarity that it will have in a genuine comparison.
 *
 * @param shown - (N, D) directions of the faces in some view
 * @param clean - (N, D) directions of the same faces as they are
 * @param sums - (K, D) of `clean`
 * @returns (N) float32; 0 where a person has one face alone
 */
export function ownCosines(
  shown: Rows,
  clean: Rows,
  { labels, sums }: { labels: ArrayLike<number>; sums: Rows },
): Float32Array {
  const { dimension } = shown;
  return Float32Array.from({ length: labels.length }, (_, row) => {
    const [face, own] = [row * dimension, labels[row]! * dimension];
    let [dot, length] = [0, 0];
    for (let i = 0; i < dimension; i++) {
      const others = sums.values[own + i]! - clean.values[face + i]!;
      dot += shown.values[face + i]! * others;
      length += others * others;
    }
    return length > 1e-6 ? dot / Math.sqrt(length) : 0;
  });
}
