/** Effects of too little light: darkness and noise. */
import type { Pixels } from '../pixels.ts';
import { randomStream } from '../random.ts';

/** @param stops - each halves the light; the result is rounded to 8 bits */
export function darken(face: Pixels, stops: number): Pixels {
  const gain = 2 ** -stops;
  return { ...face, data: Uint8Array.from(face.data, (value) => Math.round(value * gain)) };
}

/**
 * Adds Gaussian noise, like a sensor at high gain. A seed determines the pattern, whose amplitude is the deviation.
 *
 * @param deviation - standard deviation in grey levels of 255; 0 changes nothing
 */
export function addNoise(face: Pixels, deviation: number, seed: number): Pixels {
  const gaussian = gaussianStream(seed);
  const noisy = (value: number): number => Math.min(255, Math.max(0, Math.round(value + deviation * gaussian())));
  return { ...face, data: Uint8Array.from(face.data, noisy) };
}

/** Box–Muller transform, using one of its two values. */
function gaussianStream(seed: number): () => number {
  const random = randomStream(seed);
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
