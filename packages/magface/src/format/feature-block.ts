/** What every reader of features gives. */

/** Some rows of a feature file. */
export interface FeatureBlock {
  /** (n, D) float32, not normalized. */
  readonly values: Float32Array;
  /** One a row, where the file has names. */
  readonly names?: readonly string[] | undefined;
}
