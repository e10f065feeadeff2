/** Made-up values: of no pattern, in (-1, 1), the same for a seed. */
import { fromArray, type Tensor } from '@magface/torch';

export const waveValues = (length: number, seed: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => (Math.sin(i * 12.9898 + seed * 78.233) * 43758.5453) % 1);

export const wave = (shape: readonly number[], seed: number): Tensor =>
  fromArray(
    waveValues(
      shape.reduce((a, b) => a * b),
      seed,
    ),
    shape,
  );
