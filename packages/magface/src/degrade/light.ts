/** What too little light does: a darker picture, and a noisier one. */
import type { Pixels } from '../pixels.ts';
import { randomStream } from '../random.ts';

/** @param stops - each halves the light; 8 bits hold what is left, and lose what lies between */
export function darken(face: Pixels, stops: number): Pixels {
  const gain = 2 ** -stops;
  return { ...face, data: Uint8Array.from(face.data, (value) => Math.round(value * gain)) };
}

/**
 * Gaussian noise on each value, as of a sensor at high gain. A seed gives one pattern, which grows with the deviation.
 *
 * @param deviation - standard deviation in levels of 255; 0 changes nothing
 */
export function addNoise(face: Pixels, deviation: number, seed: number): Pixels {
  const gaussian = gaussianStream(seed);
  const noisy = (value: number): number => Math.min(255, Math.max(0, Math.round(value + deviation * gaussian())));
  return { ...face, data: Uint8Array.from(face.data, noisy) };
}

/** Box and Muller's transform, one of its two values. */
function gaussianStream(seed: number): () => number {
  const random = randomStream(seed);
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
