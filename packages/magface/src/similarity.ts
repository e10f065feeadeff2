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
    throw new ShapeError({
      expected: 'two embeddings of the same length',
      received: `${a.length} and ${b.length}`,
      remedy: 'compare faces of the same model',
    });
  }
  let [dot, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i]!, b[i]!];
    dot += x * y;
    aa += x * x;
    bb += y * y;
  }
  if (aa === 0 || bb === 0)
    throw new ShapeError({
      expected: 'embeddings other than zero',
      received: 'one of only zeros',
      remedy: 'embed the face again',
    });
  if (!Number.isFinite(aa) || !Number.isFinite(bb))
    throw new ShapeError({
      expected: 'embeddings with finite values',
      received: 'one with NaN or infinity',
      remedy: 'embed the face again',
    });
  return Math.min(1, Math.max(-1, dot / Math.sqrt(aa * bb)));
}
