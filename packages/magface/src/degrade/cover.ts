/** Occlusion: something in front of the face, such as a hand, a scarf or another person. */
import type { Pixels } from '../pixels.ts';
import { randomStream } from '../random.ts';

/**
 * Covers the face from one of four sides with a flat colour. The seed determines side and colour, so that with the same
 * seed a larger cover includes the smaller one.
 *
 * @param face - (height, width, 3) uint8 RGB
 * @param share - covered share of the area, 0 to 1
 */
export function cover(face: Pixels, share: number, seed: number): Pixels {
  const random = randomStream(seed);
  const side = Math.floor(4 * random()); // left, top, right, bottom
  const colour = [0, 1, 2].map(() => Math.floor(256 * random()));
  const { width, height } = face;
  const across = Math.round(share * (side % 2 === 0 ? width : height));
  const covered = (x: number, y: number): boolean =>
    [x < across, y < across, x >= width - across, y >= height - across][side]!;
  const data = Uint8Array.from(face.data, (value, at) => {
    const pixel = Math.floor(at / 3);
    return covered(pixel % width, Math.floor(pixel / width)) ? colour[at % 3]! : value;
  });
  return { data, width, height };
}
