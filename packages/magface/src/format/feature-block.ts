/** The output of every feature reader. */

/** Some rows of a feature file. */
export interface FeatureBlock {
  /** (n, D) float32, not normalized. */
  readonly values: Float32Array;
  /** One per row, if the file has names. */
  readonly names?: readonly string[] | undefined;
}
