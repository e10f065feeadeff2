/** Converts 8-bit pixels to a network's input: only here channel order, mean and scale are applied. */
import { ShapeError } from '../errors.ts';
import type { InputContract } from '../models/contract.ts';
import type { Pixels } from '../pixels.ts';

/** Writes one image into a batch: `(image, target, offset, mirrored)`. */
export type FillInput = (image: Pixels, target: Float32Array, offset: number, mirrored?: boolean) => void;

/**
 * Makes the writer for a contract; an input value is (pixel − mean) · scale, from a 256-entry table per channel.
 *
 * @returns writes an image of the contract's size at `offset` of an (N, 3, H, W) or (N, H, W, 3) float32 batch, mirrored
 *   left to right if asked; throws ShapeError if the image has another size
 */
export function inputFiller(contract: InputContract & { readonly width: number; readonly height: number }): FillInput {
  const { width, height, layout, channelOrder } = contract;
  const plane = width * height;
  const [step, channelStep] = layout === 'NCHW' ? [1, plane] : [3, 1];
  const tables = [0, 1, 2].map((channel) => valueTable(contract.mean[channel]!, contract.scale[channel]!));
  const sourceOf = channelOrder === 'RGB' ? [0, 1, 2] : [2, 1, 0];

  return (image, target, offset, mirrored = false) => {
    if (image.width !== width || image.height !== height) {
      throw new ShapeError(`Expected a face of ${width}x${height} pixels but received ${image.width}x${image.height}.`);
    }
    const { data } = image;
    for (let channel = 0; channel < 3; channel++) {
      const table = tables[channel]!;
      const base = offset + channel * channelStep;
      for (let y = 0; y < height; y++) {
        const row = y * width;
        let from = 3 * (mirrored ? row + width - 1 : row) + sourceOf[channel]!;
        const fromStep = mirrored ? -3 : 3;
        for (let to = base + row * step, end = base + (row + width) * step; to < end; to += step, from += fromStep) {
          target[to] = table[data[from]!]!;
        }
      }
    }
  };
}

function valueTable(mean: number, scale: number): Float32Array {
  return Float32Array.from({ length: 256 }, (_, pixel) => (pixel - mean) * scale);
}
