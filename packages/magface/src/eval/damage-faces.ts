/** Damages faces in steps and runs the recogniser on each: the input of `robustnessReport`. */
import { allDamages } from '../degrade/node/jpeg.ts';
import { ImageError } from '../errors.ts';
import type { MagFace } from '../infer/node/magface.ts';
import { type ImageInput, readAligned } from '../infer/node/read-image.ts';
import type { Pixels } from '../pixels.ts';
import { compare } from '../similarity.ts';
import type { DamageCurve } from './robustness.ts';

/** A kind of damage. */
export type DamageName = keyof typeof allDamages;

/** All kinds of damage, in the order of reports. */
export const damageNames = Object.keys(allDamages) as readonly DamageName[];

/** Options for damaging faces. */
export interface DamageFacesOptions {
  /** (S + 1) rising strengths from 0, the clean face, to 1, the strongest damage. @default 0, 0.2, … 1 */
  readonly strengths?: readonly number[] | undefined;
  /** Seed of the first face; the next face has the next seed. @default 1 */
  readonly seed?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called after each face with the number of finished images. */
  readonly onFace?: ((done: number) => void) | undefined;
  /** Called for each image that cannot be read or is not an aligned face. */
  readonly onFailure?: ((error: ImageError, index: number) => void) | undefined;
}

/** A damaged face. */
export interface DamagedFace {
  /** Index of its image. */
  readonly index: number;
  /** Seed of its damage. */
  readonly seed: number;
}

/** Results for all faces that could be read. */
export interface DamagedFaces {
  /** (F) faces in the order of the images. */
  readonly faces: readonly DamagedFace[];
  /** (F) curves per kind of damage. */
  readonly curves: ReadonlyMap<DamageName, readonly DamageCurve[]>;
  /** Number of images that could not be read. */
  readonly failed: number;
}

/** One input of the network; without a kind, the clean face. */
type Shown = Pixels & { readonly face: DamagedFace; readonly kind?: DamageName };

interface Measured {
  readonly kind: DamageName | undefined;
  readonly embedding: Float32Array;
  readonly magnitude: number;
}

/**
 * Runs each face through every kind of damage in steps, and records its magnitude and its similarity to the clean face.
 *
 * @param images - aligned faces of 112x112 pixels
 * @param magface - provides the recogniser
 * @returns one curve per face and kind of damage, for {@link robustnessReport}
 * @throws {ModelError} if the network cannot run; after an abort, the reason of the signal
 *
 * @example Does quality fall with damage, and does it foretell what the damage costs?
 * ```ts
 * import { MagFace } from 'magface';
 * import { damageFaces, robustnessReport } from 'magface/eval';
 *
 * await using magface = await MagFace.load({ detector: false });
 * const strengths = [0, 0.5, 1];
 * const { curves } = await damageFaces(['aligned/0.png', 'aligned/1.png'], magface, { strengths });
 * const { fall, loss } = robustnessReport(curves, strengths);
 * console.log(fall.value, loss.value);
 * ```
 */
export async function damageFaces(
  images: readonly ImageInput[],
  magface: Pick<MagFace, 'stream'>,
  options: DamageFacesOptions = {},
): Promise<DamagedFaces> {
  const { strengths = [0, 0.2, 0.4, 0.6, 0.8, 1], seed = 1, signal, onFace, onFailure } = options;
  const curves = new Map<DamageName, DamageCurve[]>(damageNames.map((kind) => [kind, []]));
  const faces: DamagedFace[] = [];
  let failed = 0;

  /** Yields one face at a time with all its damaged versions, to keep memory small. */
  async function* pictures(): AsyncGenerator<Shown> {
    for (const [index, image] of images.entries()) {
      const clean = await readAligned(image, { signal }).catch((error: unknown) => {
        if (!(error instanceof ImageError)) throw error;
        failed++;
        onFailure?.(error, index);
      });
      if (clean !== undefined) yield* versions(clean, { index, seed: seed + index }, strengths);
    }
  }

  let measured: Measured[] = [];
  for await (const result of magface.stream(pictures(), { aligned: true, signal })) {
    if (result.error !== undefined) throw result.error;
    measured.push({ ...result.faces[0]!, kind: result.input.kind });
    if (measured.length <= damageNames.length * (strengths.length - 1)) continue;
    for (const kind of damageNames) curves.get(kind)!.push(curveOf(measured, kind));
    onFace?.(faces.push(result.input.face) + failed);
    measured = [];
  }
  signal?.throwIfAborted();
  return { faces, curves, failed };
}

function* versions(clean: Pixels, face: DamagedFace, strengths: readonly number[]): Generator<Shown> {
  yield { ...clean, face };
  for (const kind of damageNames)
    for (const strength of strengths.slice(1)) yield { ...damaged(clean, kind, strength, face.seed), face, kind };
}

/** Applies one kind of damage. The seed determines the result; strength 0 changes nothing. */
export const damaged = (face: Pixels, kind: DamageName, strength: number, seed: number): Pixels =>
  allDamages[kind].apply(face, strength, seed);

/** Formats a strength, 0 to 1, in the unit of the damage: `σ 2.5 px`. */
export const describeDamage = (kind: DamageName, strength: number): string => allDamages[kind].describe(strength);

/** @param measured - all versions of one face, the clean one first, in the order of the steps */
function curveOf(measured: readonly Measured[], kind: DamageName): DamageCurve {
  const clean = measured[0]!;
  const steps = [clean, ...measured.filter((one) => one.kind === kind)];
  return {
    magnitudes: steps.map(({ magnitude }) => magnitude),
    similarities: steps.map(({ embedding }) => similarity(embedding, clean.embedding)),
  };
}

/** The cosine similarity; 0 if the network returns all zeros for a face that is damaged beyond recognition. */
function similarity(a: Float32Array, b: Float32Array): number {
  const empty = (embedding: Float32Array): boolean => embedding.every((value) => value === 0);
  return empty(a) || empty(b) ? 0 : compare(a, b);
}
