/** Soft focus: a Gaussian, as a lens out of focus or a face too small for the sensor looks after enlarging. */
import { blankPixels, type Pixels } from '../pixels.ts';

/**
 * @param face - (height, width, 3) uint8 RGB
 * @param sigma - standard deviation in pixels; 0 changes nothing
 */
export function blur(face: Pixels, sigma: number): Pixels {
  if (sigma <= 0) return face;
  const weights = gaussian(sigma);
  return alongRows(alongRows(face, weights), weights); // each pass also turns the picture over its diagonal
}

/** @returns weights from the centre outwards; with their mirror image they sum to 1. */
function gaussian(sigma: number): Float64Array {
  const weights = Float64Array.from({ length: Math.ceil(3 * sigma) + 1 }, (_, x) =>
    Math.exp((-x * x) / (2 * sigma * sigma)),
  );
  const sum = weights.reduce((total, weight, x) => total + (x === 0 ? weight : 2 * weight), 0);
  return weights.map((weight) => weight / sum);
}

/** Filters each row and writes it as a column; the edge's pixel stands for all beyond it. */
function alongRows({ data, width, height }: Pixels, weights: Float64Array): Pixels {
  const turned = blankPixels(height, width);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let channel = 0; channel < 3; channel++) {
        const at = (column: number): number =>
          data[3 * (y * width + Math.min(width - 1, Math.max(0, column))) + channel]!;
        let sum = weights[0]! * at(x);
        for (let k = 1; k < weights.length; k++) sum += weights[k]! * (at(x - k) + at(x + k));
        turned.data[3 * (x * height + y) + channel] = Math.round(sum);
      }
    }
  }
  return turned;
}
