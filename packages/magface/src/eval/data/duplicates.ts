/**
 * Near-duplicates: one photo twice, also compressed anew, resized, mirrored, brightened or cut slightly differently.
 *
 * Two faces are candidates if their files are equal or their features very similar. Whether the photo is the same decides a
 * small picture of each: two photos of one person have similar features but different pictures.
 */
import { lumaOf } from '../../crop-luma.ts';
import type { Pixels } from '../../pixels.ts';
import { product } from '../../row-products.ts';
import { rowOf } from '../feature-set.ts';
import { hasFeature, type LabelledFaces, type LabelledPerson } from './labelled-faces.ts';
import type { Resemblance } from './nearest-people.ts';

/** Two images of one photo. */
export interface Duplicate {
  /** Indices of faces, rising. */
  readonly faces: readonly [number, number];
  /** The files are equal byte for byte. */
  readonly exact: boolean;
  /** Correlation of the small pictures, one of them mirrored if that fits better; 1 for equal files. */
  readonly correlation: number;
}

/**
 * Limits, read off pairs of LFW and of changed copies of its images. Compressed, resized, grey, brightened and mirrored copies
 * correlate above 0.97 in structure, different photos of one scene below 0.91. Copies cut 4 pixels differently correlate less,
 * but keep a cosine of 0.918 and a correlation of 0.92; other photos with such a cosine are consecutive frames.
 */
const limits = { cosine: 0.6, structure: 0.93, cutCosine: 0.915, cutCorrelation: 0.91 } as const;

/** Two faces that may be one photo. */
export interface Candidate {
  /** Rising. */
  readonly faces: readonly [number, number];
  readonly cosine: number;
}

/** @returns pairs of faces that may be one photo: of one label, or of labels that one of the faces resembles */
export function duplicateCandidates(
  faces: LabelledFaces,
  people: readonly LabelledPerson[],
  nearest: readonly (readonly Resemblance[])[],
): Candidate[] {
  const { dimension } = faces.features;
  const count = faces.people.length;
  const lengths = Float64Array.from({ length: count }, (_, i) => {
    const row = rowOf(faces.features, i);
    return Math.sqrt(product(row, 0, row, 0, dimension));
  });
  const pairs = new Map<number, Candidate>();
  for (let i = 0; i < count; i++) {
    if (!hasFeature(faces, i)) continue;
    const labels = [faces.people[i]!, ...nearest[i]!.map(({ person }) => person)];
    for (const j of labels.flatMap((label) => people[label]!.faces)) {
      const [a, b] = [Math.min(i, j), Math.max(i, j)];
      if (a === b || pairs.has(a * count + b)) continue;
      const { values } = faces.features;
      const cosine = product(values, i * dimension, values, j * dimension, dimension) / (lengths[i]! * lengths[j]!);
      if (cosine >= limits.cosine) pairs.set(a * count + b, { faces: [a, b], cosine });
    }
  }
  return [...pairs.values()];
}

/** A small picture of an image, each (16, 16) with mean 0 and length 1; zeros for a uniform one. */
export interface Miniature {
  readonly brightness: Float32Array;
  /** Brightness less its mean around each cell, so that light does not count. */
  readonly structure: Float32Array;
}

const side = 16;

export function miniature(pixels: Pixels): Miniature {
  const { values, width, height } = lumaOf(pixels);
  const [sums, counts] = [new Float64Array(side * side), new Float64Array(side * side)];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const cell = Math.floor((y * side) / height) * side + Math.floor((x * side) / width);
      sums[cell]! += values[y * width + x]!;
      counts[cell]! += 1;
    }
  const cells = sums.map((sum, i) => sum / Math.max(1, counts[i]!));
  return {
    brightness: standardized(cells),
    structure: standardized(cells.map((cell, i) => cell - meanAround(cells, i))),
  };
}

/** Mean of the cells at most two away. */
function meanAround(cells: Float64Array, at: number): number {
  const [x, y] = [at % side, Math.floor(at / side)];
  let [sum, count] = [0, 0];
  for (let row = Math.max(0, y - 2); row <= Math.min(side - 1, y + 2); row++)
    for (let column = Math.max(0, x - 2); column <= Math.min(side - 1, x + 2); column++) {
      sum += cells[row * side + column]!;
      count++;
    }
  return sum / count;
}

function standardized(cells: Float64Array): Float32Array {
  const mean = cells.reduce((a, b) => a + b, 0) / cells.length;
  const length = Math.hypot(...cells.map((cell) => cell - mean));
  return Float32Array.from(cells, (cell) => (length > 0 ? (cell - mean) / length : 0));
}

/** @returns the correlation of two small pictures, or of one with the mirrored other if that is higher */
function correlation(a: Float32Array, b: Float32Array): number {
  const mirrored = b.map((_, i) => b[i - 2 * (i % side) + side - 1]!);
  return Math.max(product(a, 0, b, 0, a.length), product(a, 0, mirrored, 0, a.length));
}

/**
 * @param digests - (N) of the files
 * @param miniatureOf - of a face by index; undefined if it is unreadable
 * @returns the pairs of one photo, equal files first
 */
export function findDuplicates(
  candidates: readonly Candidate[],
  digests: readonly string[],
  miniatureOf: (face: number) => Miniature | undefined,
): Duplicate[] {
  const found: Duplicate[] = equalFiles(digests);
  for (const { faces, cosine } of candidates) {
    if (digests[faces[0]] === digests[faces[1]]) continue;
    const [one, other] = [miniatureOf(faces[0]), miniatureOf(faces[1])];
    if (one === undefined || other === undefined) continue;
    const [picture, structure] = [
      correlation(one.brightness, other.brightness),
      correlation(one.structure, other.structure),
    ];
    if (structure >= limits.structure || (cosine >= limits.cutCosine && picture >= limits.cutCorrelation))
      found.push({ faces, exact: false, correlation: picture });
  }
  return found.sort((x, y) => y.correlation - x.correlation);
}

/** Each file with the first that is equal to it. */
function equalFiles(digests: readonly string[]): Duplicate[] {
  const first = new Map<string, number>();
  return digests.flatMap((digest, i) => {
    const before = first.get(digest);
    if (before === undefined) first.set(digest, i);
    return before === undefined ? [] : [{ faces: [before, i] as const, exact: true, correlation: 1 }];
  });
}
