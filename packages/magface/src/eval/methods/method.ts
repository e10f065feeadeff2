/**
 * Quality methods: ways to tell from a face alone how well it will be recognised. They share one interface, so that the
 * magnitude is compared with what else a user could choose.
 */
import type { AnalyzedFace } from '../../face.ts';

/** Measures the quality of faces. Its unit is its own; only the order counts. */
export interface QualityMethod extends AsyncDisposable {
  /** As it was asked for, such as `pruning`. */
  readonly name: string;
  /**
   * @param faces - with their crops and embeddings, which are not sums with the mirror image
   * @returns (N) higher is better
   */
  measure(faces: readonly AnalyzedFace[]): Promise<readonly number[]>;
}

/** A method without anything to free. */
export function plainMethod(name: string, measureOne: (face: AnalyzedFace) => number): QualityMethod {
  return {
    name,
    measure: async (faces) => faces.map(measureOne),
    [Symbol.asyncDispose]: async () => undefined,
  };
}
