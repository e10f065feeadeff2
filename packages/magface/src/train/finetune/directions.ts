/** What the starting model knows of the training set: each person's mean direction, and each face's cosine to it. */

/** Feature vectors as rows. */
export interface Rows {
  /** (N, D) */
  readonly values: Float32Array;
  readonly dimension: number;
}

/** @returns the same rows scaled to length one; zero rows stay zero */
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
 * @returns (K, D); zero rows for classes without faces
 */
export function classSums({ values, dimension }: Rows, labels: ArrayLike<number>, classes: number): Rows {
  const sums = new Float32Array(classes * dimension);
  for (let row = 0; row < labels.length; row++) {
    const [from, to] = [row * dimension, labels[row]! * dimension];
    for (let i = 0; i < dimension; i++) sums[to + i]! += values[from + i]!;
  }
  return { values: sums, dimension };
}

/** @returns (D, K): the rows scaled to length one, as columns, as the loss expects class centres */
export function asColumns(rows: Rows): Float32Array {
  const { values, dimension } = normalized(rows);
  const count = values.length / dimension;
  return Float32Array.from(values, (_, at) => values[(at % count) * dimension + Math.floor(at / count)]!);
}

/**
 * Measures how recognisable faces are: the cosine of each to the mean of its person's *other* clean faces, which
 * approximates its similarity in a genuine comparison.
 *
 * @param shown - (N, D) directions of the faces in some view
 * @param clean - (N, D) directions of the undamaged faces
 * @param sums - (K, D) of `clean`
 * @returns (N) float32; 0 where a person has only one face
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
