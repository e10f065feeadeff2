/** Similarity transforms of the plane as complex numbers: q ↦ z · q + t, with z = real + i · imaginary. */
import type { AffineMatrix } from '../../packages/magface/src/face.ts';
import { middle } from '../../packages/magface/src/infer/aligner.ts';

export interface Similarity {
  readonly real: number;
  readonly imaginary: number;
  readonly x: number;
  readonly y: number;
}

export const identity: Similarity = { real: 1, imaginary: 0, x: 0, y: 0 };

/** @returns first `inner`, then `outer` */
export const after = (outer: Similarity, inner: Similarity): Similarity => ({
  real: outer.real * inner.real - outer.imaginary * inner.imaginary,
  imaginary: outer.imaginary * inner.real + outer.real * inner.imaginary,
  x: outer.real * inner.x - outer.imaginary * inner.y + outer.x,
  y: outer.imaginary * inner.x + outer.real * inner.y + outer.y,
});

export function inverse({ real, imaginary, x, y }: Similarity): Similarity {
  const square = real * real + imaginary * imaginary;
  const [p, q] = [real / square, -imaginary / square];
  return { real: p, imaginary: q, x: -(p * x - q * y), y: -(q * x + p * y) };
}

/** Rotates and scales about the centre of the face, then shifts by (moveX, moveY). */
export function aboutMiddle(real: number, imaginary: number, moveX: number, moveY: number): Similarity {
  const [x, y] = middle;
  return {
    real,
    imaginary,
    x: x + moveX - real * x + imaginary * y,
    y: y + moveY - imaginary * x - real * y,
  };
}

/** Shift of the centre of the face. */
export const moveOf = ({ real, imaginary, x, y }: Similarity): [number, number] => [
  real * middle[0] - imaginary * middle[1] + x - middle[0],
  imaginary * middle[0] + real * middle[1] + y - middle[1],
];

export const fromMatrix = ([[a, , c], [d, , f]]: AffineMatrix): Similarity => ({ real: a, imaginary: d, x: c, y: f });
