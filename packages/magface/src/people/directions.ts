/** Directions of faces, without what all faces have in common. */
import { ShapeError } from '../errors.ts';
import { product } from '../row-products.ts';

/**
 * @param text - (K, D) int8 in base64, from the model's record
 * @param dimension - D
 * @returns (K) orthogonal directions of length 1
 * @throws {ShapeError} if they are not of that dimension
 */
export function expectedDirections(text: string | undefined, dimension: number): Float64Array[] {
  if (text === undefined || dimension === 0) return [];
  const bytes = Int8Array.from(atob(text), (character) => character.charCodeAt(0));
  if (bytes.length % dimension !== 0)
    throw new ShapeError({
      expected: `directions of ${dimension} values in the model's record`,
      received: `${bytes.length} values`,
      remedy: 'use embeddings of that model',
    });
  const found: Float64Array[] = [];
  for (let at = 0; at < bytes.length; at += dimension) {
    const row = Float64Array.from(bytes.subarray(at, at + dimension));
    for (const other of found) removeFrom(row, other);
    const length = Math.sqrt(product(row, 0, row, 0, dimension));
    if (length > 0) found.push(row.map((value) => value / length));
  }
  return found;
}

/**
 * @param common - orthogonal directions of length 1
 * @returns (D) the embedding without them, at length 1; zeros for an embedding of zeros
 */
export function directionOf(embedding: Float32Array, common: readonly Float64Array[]): Float32Array {
  const row = Float64Array.from(embedding);
  for (const direction of common) removeFrom(row, direction);
  const length = Math.sqrt(product(row, 0, row, 0, row.length));
  return Float32Array.from(row, (value) => (length === 0 ? 0 : value / length));
}

function removeFrom(row: Float64Array, direction: Float64Array): void {
  const part = product(row, 0, direction, 0, row.length);
  for (let d = 0; d < row.length; d++) row[d]! -= part * direction[d]!;
}
