/**
 * Which parts of an aligned face are covered: eyes (sunglasses, a hand, hair), mouth (a mask, a hand) or brow (a cap, hair). A
 * network of one hidden layer sees the luma of 22 x 22 blocks of 4 x 4 pixels:
 *
 *     z = (block − mean) / deviation, within ±3, 0 outside the photo
 *     p = σ(V · leaky(W · z + b) + c)
 *
 * It was trained on painted covers (`scripts/covered-parts.ts`) and is independent of the recogniser.
 */
import { inverseOf, isOutside, mapped } from './align.ts';
import { coveredPartsWeights as stored } from './covered-parts.gen.ts';
import type { Luma } from './crop-luma.ts';
import type { AffineMatrix } from './face.ts';
import type { ImageSize } from './pixels.ts';

/** Parts, in the order of the network's outputs. */
export const parts = ['eyes', 'mouth', 'brow'] as const;

/** Probability that each part is covered. */
export type CoveredParts = Readonly<Record<(typeof parts)[number], number>>;

/** Where the blocks are: 22 x 22 of the crop's 28 x 28, hair and background left out. */
export const grid = { block: 4, left: 3, top: 6, across: 22, down: 22 } as const;
/** Slope of the hidden units below 0. */
export const leak = 0.1;
/** Smallest deviation in grey levels, so that a flat face is not all noise. */
const leastDeviation = 4;

/** The network; `hidden` is (H, 484), `outputs` (3, H). */
export interface CoverNetwork {
  readonly hidden: Float32Array;
  readonly biases: Float32Array;
  readonly outputs: Float32Array;
  readonly outputBiases: Float32Array;
}

/**
 * @param luma - of the aligned face
 * @param outside - (484) whether a block is outside the photo. @default none is
 * @returns (484) z
 */
export function coverInput(luma: Luma, outside?: readonly boolean[]): Float32Array {
  const { block, left, top, across, down } = grid;
  const input = new Float32Array(across * down);
  let [sum, squares, count] = [0, 0, 0];
  for (let row = 0; row < down; row++)
    for (let column = 0; column < across; column++) {
      const at = row * across + column;
      if (outside?.[at]) continue;
      let total = 0;
      for (let y = 0; y < block; y++) {
        const from = (block * (top + row) + y) * luma.width + block * (left + column);
        for (let x = 0; x < block; x++) total += luma.values[from + x]!;
      }
      const mean = total / block ** 2;
      input[at] = mean;
      sum += mean;
      squares += mean * mean;
      count++;
    }
  const mean = sum / Math.max(1, count);
  const deviation = Math.max(leastDeviation, Math.sqrt(Math.max(0, squares / Math.max(1, count) - mean * mean)));
  return input.map((value, at) => (outside?.[at] ? 0 : Math.max(-3, Math.min(3, (value - mean) / deviation))));
}

/** @returns (484) whether the centre of a block is outside the photo; undefined if none is */
export function blocksOutside(alignment: AffineMatrix, image: ImageSize): boolean[] | undefined {
  const back = inverseOf(alignment);
  const { block, left, top, across, down } = grid;
  const outside = Array.from({ length: across * down }, (_, at) => {
    const x = block * (left + (at % across)) + (block - 1) / 2;
    const y = block * (top + Math.floor(at / across)) + (block - 1) / 2;
    return isOutside(mapped(back, [x, y]), image);
  });
  return outside.some(Boolean) ? outside : undefined;
}

/** @returns the outputs before σ */
export function runCovers({ hidden, biases, outputs, outputBiases }: CoverNetwork, input: Float32Array): Float32Array {
  const units = biases.length;
  const result = outputBiases.slice();
  for (let unit = 0; unit < units; unit++) {
    let sum = biases[unit]!;
    const from = unit * input.length;
    for (let i = 0; i < input.length; i++) sum += hidden[from + i]! * input[i]!;
    const value = sum > 0 ? sum : leak * sum;
    for (let part = 0; part < result.length; part++) result[part]! += outputs[part * units + unit]! * value;
  }
  return result;
}

let network: CoverNetwork | undefined;

/** The included weights: those of the hidden layer are 8-bit integers, with a scale per unit. */
function included(): CoverNetwork {
  if (network !== undefined) return network;
  const bytes = Uint8Array.from(atob(stored.hidden), (letter) => letter.charCodeAt(0));
  const width = grid.across * grid.down;
  const hidden = Float32Array.from(
    new Int8Array(bytes.buffer),
    (value, i) => value * stored.scales[Math.floor(i / width)]!,
  );
  const [biases, outputs, outputBiases] = [stored.biases, stored.outputs, stored.outputBiases].map((values) =>
    Float32Array.from(values),
  ) as [Float32Array, Float32Array, Float32Array];
  network = { hidden, biases, outputs, outputBiases };
  return network;
}

/** @param outside - see {@link blocksOutside} */
export function coveredParts(luma: Luma, outside?: readonly boolean[]): CoveredParts {
  const logits = runCovers(included(), coverInput(luma, outside));
  const [eyes, mouth, brow] = [...logits].map((logit) => 1 / (1 + Math.exp(-logit))) as [number, number, number];
  return { eyes, mouth, brow };
}
