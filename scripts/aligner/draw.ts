/** A training picture: a face with its surroundings, cut out wrongly by a known similarity, in changed light. */
import { fieldSize, middle } from '../../packages/magface/src/infer/aligner.ts';
import type { Pixels } from '../../packages/magface/src/pixels.ts';
import type { Face } from './faces.ts';
import { aboutMiddle, after, inverse, moveOf, type Similarity } from './similarity.ts';

/** Numbers in [0, 1). */
export type Random = () => number;

const normal = (random: Random): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
const clamped = (value: number, most: number): number => Math.max(-most, Math.min(most, value));

/** What a cut is off by: nearly half of them a little, as the second look finds it, the others as a detector may be. */
function wrongness(random: Random): Similarity {
  const share = random() < 0.45 ? 0.3 : 1;
  const spread = (deviation: number, most: number): number => clamped(normal(random) * deviation * share, most);
  const scale = Math.exp(spread(0.18, 0.5));
  const angle = (spread(22, 60) * Math.PI) / 180;
  return aboutMiddle(scale * Math.cos(angle), scale * Math.sin(angle), spread(10, 28), spread(10, 28));
}

/**
 * Pixels are taken singly: the mean of four that follows smooths them.
 *
 * @param other - another face, whose pixels serve as a background
 * @param field - (160, 160, 3) uint8, filled here
 * @returns the correction that the network is to find
 */
export function drawField(face: Face, other: Pixels, random: Random, field: Uint8Array): Similarity {
  const wrong = wrongness(random);
  const place = after(face.place, wrong);
  const pixelOf = sourceOf(face, other, random);
  const isMirrored = random() < 0.5;
  const shift = (fieldSize - 1) / 2;
  for (let v = 0; v < fieldSize; v++) {
    const y = middle[1] + v - shift;
    for (let u = 0; u < fieldSize; u++) {
      const x = middle[0] + u - shift;
      const to = 3 * (v * fieldSize + (isMirrored ? fieldSize - 1 - u : u));
      pixelOf(
        Math.round(place.real * x - place.imaginary * y + place.x),
        Math.round(place.imaginary * x + place.real * y + place.y),
        field,
        to,
      );
    }
  }
  changeLight(field, random);
  const correction = inverse(wrong);
  if (!isMirrored) return correction;
  const [moveX, moveY] = moveOf(correction);
  return aboutMiddle(correction.real, -correction.imaginary, -moveX, moveY);
}

type WritePixel = (x: number, y: number, to: Uint8Array, at: number) => void;

/**
 * What stands at a place of the image. Around a crop there is nothing, so the surroundings are made up: one colour, the
 * crop mirrored at its border, or another face. The border itself is moved inwards at random, since it would tell where
 * the crop lay.
 */
function sourceOf({ image, isCrop }: Face, other: Pixels, random: Random): WritePixel {
  const { width, height, data } = image;
  const kind = isCrop ? random() : 0;
  const colour = !isCrop || random() < 0.5 ? [0, 0, 0] : [random() * 255, random() * 255, random() * 255];
  const inset = (): number => (isCrop ? Math.floor(random() * random() * 16) : 0);
  const [left, top, right, bottom] = [inset(), inset(), width - 1 - inset(), height - 1 - inset()];
  const within = (value: number, length: number): number => Math.max(0, Math.min(length - 1, value));
  const copy = (from: Uint8Array | Uint8ClampedArray, source: number, to: Uint8Array, at: number): void => {
    to[at] = from[source]!;
    to[at + 1] = from[source + 1]!;
    to[at + 2] = from[source + 2]!;
  };
  return (x, y, to, at) => {
    if (x >= left && y >= top && x <= right && y <= bottom) copy(data, 3 * (y * width + x), to, at);
    else if (kind < 0.3) to.set(colour, at);
    else if (kind < 0.75) {
      const mirrored = (value: number, low: number, high: number): number =>
        value < low ? 2 * low - value : value > high ? 2 * high - value : value;
      const [u, v] = [within(mirrored(x, left, right), width), within(mirrored(y, top, bottom), height)];
      copy(data, 3 * (v * width + u), to, at);
    } else {
      const [u, v] = [(3 * x + 175) % other.width, (2 * y + 300) % other.height];
      copy(other.data, 3 * (within(v, other.height) * other.width + within(u, other.width)), to, at);
    }
  };
}

/** Coarse pixels, other brightness and contrast, grey, noise, a cover. */
function changeLight(field: Uint8Array, random: Random): void {
  if (random() < 0.12) coarsen(field, 2 + Math.floor(random() * 4));
  const [gain, offset, gamma] = [Math.exp(normal(random) * 0.3), normal(random) * 20, Math.exp(normal(random) * 0.2)];
  const isGrey = random() < 0.2;
  const noise = random() < 0.2 ? random() * 20 : 0;
  const table = Uint8ClampedArray.from({ length: 256 }, (_, value) => 255 * (value / 255) ** gamma * gain + offset);
  for (let i = 0; i < field.length; i += 3) {
    const off = noise === 0 ? 0 : (2 * random() - 1) * noise;
    const values = [table[field[i]!]!, table[field[i + 1]!]!, table[field[i + 2]!]!];
    const grey = isGrey ? 0.299 * values[0]! + 0.587 * values[1]! + 0.114 * values[2]! : undefined;
    for (let j = 0; j < 3; j++) field[i + j] = Math.max(0, Math.min(255, (grey ?? values[j]!) + off));
  }
  if (random() < 0.2) cover(field, random);
}

/** Blocks of `size` pixels become one colour. */
function coarsen(field: Uint8Array, size: number): void {
  for (let y = 0; y < fieldSize; y++) {
    for (let x = 0; x < fieldSize; x++) {
      const from = 3 * ((y - (y % size)) * fieldSize + (x - (x % size)));
      field.copyWithin(3 * (y * fieldSize + x), from, from + 3);
    }
  }
}

/** A rectangle of one colour near the middle. */
function cover(field: Uint8Array, random: Random): void {
  const [width, height] = [15 + random() * 45, 10 + random() * 40];
  const [left, top] = [40 + random() * 80 - width / 2, 40 + random() * 90 - height / 2];
  const colour = [random() * 255, random() * 255, random() * 255];
  for (let y = Math.max(0, Math.floor(top)); y < Math.min(fieldSize, top + height); y++)
    for (let x = Math.max(0, Math.floor(left)); x < Math.min(fieldSize, left + width); x++)
      field.set(colour, 3 * (y * fieldSize + x));
}
