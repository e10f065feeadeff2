/** Gaussian blur: a lens out of focus, or an enlarged face that was too small for the sensor. */
import { blankPixels, type Pixels } from '../pixels.ts';

/**
 * @param face - (height, width, 3) uint8 RGB
 * @param sigma - standard deviation in pixels; 0 changes nothing
 */
export function blur(face: Pixels, sigma: number): Pixels {
  if (sigma <= 0) return face;
  const weights = gaussian(sigma);
  return alongRows(alongRows(face, weights), weights); // each pass also transposes the image
}

/** @returns weights from the centre outwards; with their mirror image they sum to 1 */
function gaussian(sigma: number): Float64Array {
  const weights = Float64Array.from({ length: Math.ceil(3 * sigma) + 1 }, (_, x) =>
    Math.exp((-x * x) / (2 * sigma * sigma)),
  );
  const sum = weights.reduce((total, weight, x) => total + (x === 0 ? weight : 2 * weight), 0);
  return weights.map((weight) => weight / sum);
}

/** Filters each row and writes it as a column. Pixels beyond an edge repeat the edge. */
function alongRows({ data, width, height }: Pixels, weights: Float64Array): Pixels {
  const transposed = blankPixels(height, width);
  const radius = weights.length - 1;
  const row = new Float64Array(3 * (width + 2 * radius)); // with repeated edge pixels on either side
  for (let y = 0; y < height; y++) {
    for (let x = -radius; x < width + radius; x++) {
      const source = 3 * (y * width + Math.min(width - 1, Math.max(0, x)));
      for (let channel = 0; channel < 3; channel++) row[3 * (x + radius) + channel] = data[source + channel]!;
    }
    for (let i = 0; i < 3 * width; i++) {
      const at = i + 3 * radius;
      let sum = weights[0]! * row[at]!;
      for (let k = 1; k <= radius; k++) sum += weights[k]! * (row[at - 3 * k]! + row[at + 3 * k]!);
      transposed.data[3 * (Math.floor(i / 3) * height + y) + (i % 3)] = Math.round(sum);
    }
  }
  return transposed;
}
