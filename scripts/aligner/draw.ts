/** Draws a training image: a face with its surroundings, misaligned by a known similarity, in changed light. */
import { fieldSize, middle } from '../../packages/magface/src/infer/aligner.ts';
import type { Pixels } from '../../packages/magface/src/pixels.ts';
import type { Face } from './faces.ts';
import { aboutMiddle, after, inverse, moveOf, type Similarity } from './similarity.ts';

/** Numbers in [0, 1). */
export type Random = () => number;

const normal = (random: Random): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
const clamped = (value: number, most: number): number => Math.max(-most, Math.min(most, value));

/** The misalignment of a crop: small for nearly half, as in the second iteration, else as large as a detector's error. */
function wrongness(random: Random): Similarity {
  const share = random() < 0.45 ? 0.3 : 1;
  const spread = (deviation: number, most: number): number => clamped(normal(random) * deviation * share, most);
  const scale = Math.exp(spread(0.18, 0.5));
  const angle = (spread(22, 60) * Math.PI) / 180;
  return aboutMiddle(scale * Math.cos(angle), scale * Math.sin(angle), spread(10, 28), spread(10, 28));
}

/**
 * Samples the nearest pixel, because the network's input averages four samples.
 *
 * @param other - another face, used as background
 * @param field - (160, 160, 3) uint8, filled here
 * @returns the correction that the network must predict
 */
export function drawField(face: Face, other: Pixels, random: Random, field: Uint8Array): Similarity {
  const wrong = wrongness(random);
  const place = after(face.place, wrong);
  const surroundings = surroundingsOf(face, other, random);
  const isMirrored = random() < 0.5;
  copyPixels(face.image.data, place, isMirrored, surroundings, field);
  changeLight(field, random);
  const correction = inverse(wrong);
  if (!isMirrored) return correction;
  const [moveX, moveY] = moveOf(correction);
  return aboutMiddle(correction.real, -correction.imaginary, -moveX, moveY);
}

/** The face's pixels, and its surroundings. */
interface Surroundings {
  readonly width: number;
  /** First and last visible column and row. */
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  readonly kind: 'colour' | 'mirrored' | 'other';
  readonly colour: readonly [number, number, number];
  readonly other: Pixels;
}

/**
 * A crop has no surroundings, so they are synthesized: one colour, the crop mirrored at its border, or another face. The
 * border is moved inwards at random, because it would reveal the crop's position.
 */
function surroundingsOf({ image, isCrop }: Face, other: Pixels, random: Random): Surroundings {
  const { width, height } = image;
  const chance = isCrop ? random() : 0;
  const kind = chance < 0.3 ? 'colour' : chance < 0.75 ? 'mirrored' : 'other';
  const isBlack = !isCrop || random() < 0.5;
  const colour = isBlack ? ([0, 0, 0] as const) : ([random() * 255, random() * 255, random() * 255] as const);
  const inset = (): number => (isCrop ? Math.floor(random() * random() * 16) : 0);
  const [left, top, right, bottom] = [inset(), inset(), width - 1 - inset(), height - 1 - inset()];
  return { width, left, top, right, bottom, kind, colour, other };
}

// biome-ignore lint/complexity/useMathMinMax: twice as fast in this loop
const clampedTo = (value: number, last: number): number => (value < 0 ? 0 : value > last ? last : value);
const mirroredAt = (value: number, low: number, high: number): number =>
  value < low ? 2 * low - value : value > high ? 2 * high - value : value;

/** Training waits for this loop, so it allocates nothing and calls only arithmetic. */
function copyPixels(
  own: Pixels['data'],
  { real, imaginary, x: placeX, y: placeY }: Similarity,
  isMirrored: boolean,
  { width, left, top, right, bottom, kind, colour, other }: Surroundings,
  field: Uint8Array,
): void {
  const height = own.length / 3 / width;
  const shift = (fieldSize - 1) / 2;
  const step = isMirrored ? -3 : 3;
  for (let v = 0; v < fieldSize; v++) {
    const y = middle[1] + v - shift;
    const [rowX, rowY] = [placeX - imaginary * y + 0.5, placeY + real * y + 0.5]; // rounded by floor
    let to = 3 * (v * fieldSize + (isMirrored ? fieldSize - 1 : 0));
    for (let u = 0; u < fieldSize; u++, to += step) {
      const x = middle[0] + u - shift;
      const column = Math.floor(real * x + rowX);
      const row = Math.floor(imaginary * x + rowY);
      let source = own;
      let from = 3 * (row * width + column);
      if (column < left || row < top || column > right || row > bottom) {
        if (kind === 'colour') {
          field[to] = colour[0];
          field[to + 1] = colour[1];
          field[to + 2] = colour[2];
          continue;
        }
        if (kind === 'mirrored') {
          const mirroredRow = clampedTo(mirroredAt(row, top, bottom), height - 1);
          from = 3 * (mirroredRow * width + clampedTo(mirroredAt(column, left, right), width - 1));
        } else {
          const otherRow = clampedTo((2 * row + 300) % other.height, other.height - 1);
          from = 3 * (otherRow * other.width + clampedTo((3 * column + 175) % other.width, other.width - 1));
          source = other.data;
        }
      }
      field[to] = source[from]!;
      field[to + 1] = source[from + 1]!;
      field[to + 2] = source[from + 2]!;
    }
  }
}

/** Random augmentation: coarse pixels, brightness, contrast, grey, noise, occlusion. */
function changeLight(field: Uint8Array, random: Random): void {
  if (random() < 0.12) coarsen(field, 2 + Math.floor(random() * 4));
  const [gain, offset, gamma] = [Math.exp(normal(random) * 0.3), normal(random) * 20, Math.exp(normal(random) * 0.2)];
  const isGrey = random() < 0.2;
  const noise = random() < 0.2 ? random() * 20 : 0;
  const table = Uint8ClampedArray.from({ length: 256 }, (_, value) => 255 * (value / 255) ** gamma * gain + offset);
  for (let i = 0; i < field.length; i++) field[i] = table[field[i]!]!;
  if (isGrey) turnGrey(field);
  if (noise > 0) addNoise(field, noise, random);
  if (random() < 0.2) cover(field, random);
}

function turnGrey(field: Uint8Array): void {
  for (let i = 0; i < field.length; i += 3) {
    const grey = 0.299 * field[i]! + 0.587 * field[i + 1]! + 0.114 * field[i + 2]!;
    field[i] = grey;
    field[i + 1] = grey;
    field[i + 2] = grey;
  }
}

/** Makes each pixel lighter or darker, by up to `most`. */
function addNoise(field: Uint8Array, most: number, random: Random): void {
  for (let i = 0; i < field.length; i += 3) {
    const off = (2 * random() - 1) * most;
    for (let j = i; j < i + 3; j++) field[j] = clampedTo(field[j]! + off, 255);
  }
}

/** Averages blocks of `size` pixels. */
function coarsen(field: Uint8Array, size: number): void {
  for (let y = 0; y < fieldSize; y++) {
    for (let x = 0; x < fieldSize; x++) {
      const from = 3 * ((y - (y % size)) * fieldSize + (x - (x % size)));
      field.copyWithin(3 * (y * fieldSize + x), from, from + 3);
    }
  }
}

/** Draws a rectangle of one colour near the centre. */
function cover(field: Uint8Array, random: Random): void {
  const [width, height] = [15 + random() * 45, 10 + random() * 40];
  const [left, top] = [40 + random() * 80 - width / 2, 40 + random() * 90 - height / 2];
  const colour = [random() * 255, random() * 255, random() * 255];
  for (let y = Math.max(0, Math.floor(top)); y < Math.min(fieldSize, top + height); y++)
    for (let x = Math.max(0, Math.floor(left)); x < Math.min(fieldSize, left + width); x++)
      field.set(colour, 3 * (y * fieldSize + x));
}
