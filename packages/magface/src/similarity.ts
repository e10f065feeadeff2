/** Similarity of two faces: the cosine of the angle between their embeddings. */
import { ShapeError } from './errors.ts';

/**
 * @param a - (D) float32, not normalized
 * @param b - (D) float32, not normalized
 * @returns cos(a, b) = a · b / (‖a‖ ‖b‖), -1 to 1
 * @throws {ShapeError} if the lengths differ, or one embedding is all zeros or has a value that is not finite
 */
export function compare(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) {
    throw new ShapeError(
      `Expected two embeddings of the same length but received ${a.length} and ${b.length}: compare faces of the same model.`,
    );
  }
  let [dot, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i]!, b[i]!];
    dot += x * y;
    aa += x * x;
    bb += y * y;
  }
  if (aa === 0 || bb === 0)
    throw new ShapeError('Expected embeddings other than zero but received one of only zeros: embed the face again.');
  if (!Number.isFinite(aa) || !Number.isFinite(bb))
    throw new ShapeError(
      'Expected embeddings with finite values but received one with NaN or infinity: embed the face again.',
    );
  return Math.min(1, Math.max(-1, dot / Math.sqrt(aa * bb)));
}
