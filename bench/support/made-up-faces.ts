/**
 * Made-up faces with the statistics of the default model's: directions within 170 of 512 dimensions, of which 82 are effective,
 * magnitudes around an ordinary face's, and the agreement of the model's record.
 */
import type { MagFace } from 'magface';
import { randomStream } from '../../packages/magface/src/random.ts';
import { unitRows } from '../../packages/magface/src/row-products.ts';

/** Standard deviations fall so that (Σ σ²)² / Σ σ⁴ is 82. */
const spread = Float64Array.from({ length: 170 }, (_, k) => Math.exp(-k / 82));

/** A face of a made-up person. */
export interface MadeUpFace {
  /** (D) of that magnitude. */
  readonly embedding: Float32Array;
  readonly magnitude: number;
}

export interface MadeUpFaces {
  /** @returns 0 up to 1 */
  readonly random: () => number;
  /** @returns a new person's direction of length 1, in the inner coordinates */
  readonly person: () => Float64Array;
  readonly face: (person: Float64Array) => MadeUpFace;
  /** @returns (D) the person's own direction, of length 1 */
  readonly template: (person: Float64Array) => Float32Array;
}

/** The same faces each time. */
export function madeUpFaces({ calibration, likelihood, embeddingLength }: MagFace['model']['contract']): MadeUpFaces {
  const random = randomStream(1);
  const gaussian = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const mirrors = [0, 1].map(() => unitRows([Float32Array.from({ length: embeddingLength }, gaussian)]));
  const [g0, g1] = likelihood!.agreement!;
  const person = (): Float64Array => {
    const row = spread.map((deviation) => deviation * gaussian());
    const length = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
    return row.map((value) => value / length);
  };
  /** Two reflections: every value of the embedding depends on every inner one. */
  const embeddingOf = (inner: Float64Array, length: number): Float32Array => {
    const row = new Float32Array(embeddingLength);
    row.set(inner);
    for (const mirror of mirrors) {
      const along = 2 * row.reduce((sum, value, d) => sum + value * mirror[d]!, 0);
      for (let d = 0; d < embeddingLength; d++) row[d]! -= along * mirror[d]!;
    }
    return row.map((value) => value * length);
  };
  return {
    random,
    person,
    face: (centre) => {
      const u = random();
      const side = u < 0.5 ? calibration!.widthBelow! : calibration!.width;
      const magnitude = Math.max(1.5, calibration!.centre + side * Math.log(u / (1 - u)));
      const r = 1 / (1 + Math.exp(-g0 - g1 * magnitude));
      const noise = person();
      const inner = centre.map((value, d) => r * value + Math.sqrt(1 - r * r) * noise[d]!);
      return { embedding: embeddingOf(inner, magnitude), magnitude };
    },
    template: (centre) => embeddingOf(centre, 1),
  };
}
