/**
 * An orthogonal matrix drawn from a key, uniformly among all of them, as a product of D reflections:
 *
 *     Q = H_1 ... H_D S,   H_k = I − 2 v v' / v'v,   v = x + sign(x_k) ‖x‖ e_k,   S = diag(−sign(x_k))
 *
 * where x has k − 1 zeros, then normal values. So column 1 is x / ‖x‖ of the first x, and so on in what is left.
 *
 * Cosines and magnitudes stay the same, so that turned embeddings can be searched as they are. They are secret only while the
 * key is: whoever knows D embeddings both turned and not can compute Q, and the similarities among turned ones are open.
 *
 * @see Stewart, "The efficient generation of random orthogonal matrices with an application to condition estimators", SIAM 1980
 */
import { createCipheriv } from 'node:crypto';

/** Turns embeddings, and turns them back. */
export interface Rotation {
  /** @param embedding - (D) @returns (D) of the same length */
  readonly turn: (embedding: Float32Array) => Float32Array;
  readonly turnBack: (embedding: Float32Array) => Float32Array;
}

/** @param key - 32 bytes: the seed of a stream of AES-256 in counter mode */
export function keyedRotation(key: Buffer, dimension: number): Rotation {
  const normal = normalStream(key);
  const signs = new Float64Array(dimension);
  /** The k-th has its values from the k-th on; each has length √2, so that x − (v'x) v reflects. */
  const mirrors = Array.from({ length: dimension }, (_, k) => {
    const x = Float64Array.from({ length: dimension - k }, normal);
    const lengthOf = (values: Float64Array): number => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
    const sign = x[0]! < 0 ? -1 : 1;
    signs[k] = -sign;
    x[0]! += sign * lengthOf(x);
    const scale = Math.SQRT2 / lengthOf(x);
    return x.map((value) => value * scale);
  });
  const reflect = (x: Float64Array, k: number): void => {
    const v = mirrors[k]!;
    let along = 0;
    for (let i = 0; i < v.length; i++) along += v[i]! * x[k + i]!;
    for (let i = 0; i < v.length; i++) x[k + i]! -= along * v[i]!;
  };
  return {
    turn: (embedding) => {
      const x = Float64Array.from(embedding, (value, k) => value * signs[k]!);
      for (let k = dimension - 1; k >= 0; k--) reflect(x, k);
      return Float32Array.from(x);
    },
    turnBack: (embedding) => {
      const x = Float64Array.from(embedding);
      for (let k = 0; k < dimension; k++) reflect(x, k);
      return Float32Array.from(x, (value, k) => value * signs[k]!);
    },
  };
}

/** Bytes drawn at once. */
const drawn = 1 << 16;

/** Normal values by Box and Muller, from uniform ones of 52 bits. */
function normalStream(key: Buffer): () => number {
  const cipher = createCipheriv('aes-256-ctr', key, Buffer.alloc(16));
  const zeros = Buffer.alloc(drawn);
  let [bytes, at] = [cipher.update(zeros), 0];
  const uniform = (): number => {
    if (at === drawn) [bytes, at] = [cipher.update(zeros), 0];
    const value = bytes.readBigUInt64LE(at) >> 12n;
    at += 8;
    return (Number(value) + 0.5) / 2 ** 52;
  };
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}
