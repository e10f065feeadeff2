/** Faces through every kind of damage in steps, and what a model makes of them: what `robustnessReport` judges. */
import { allDamages } from '../degrade/node/jpeg.ts';
import { ImageError } from '../errors.ts';
import type { MagFace } from '../infer/node/magface.ts';
import { type ImageInput, readAligned } from '../infer/node/read-image.ts';
import type { Pixels } from '../pixels.ts';
import { compare } from '../similarity.ts';
import type { DamageCurve } from './robustness.ts';

/** What can be done to a face. */
export type DamageName = keyof typeof allDamages;

/** All kinds, in the order of reports. */
export const damageNames = Object.keys(allDamages) as readonly DamageName[];

/** How faces are damaged. */
export interface DamageFacesOptions {
  /** (S + 1) rising from 0, the clean face, to 1, hardly a face. @default 0, 0.2, … 1 */
  readonly strengths?: readonly number[] | undefined;
  /** Of the first face; each further one has the next. @default 1 */
  readonly seed?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called after each face, with how many of the images are done. */
  readonly onFace?: ((done: number) => void) | undefined;
  /** Called for an image that cannot be read, or is no aligned face, when its turn comes. */
  readonly onFailure?: ((error: ImageError, index: number) => void) | undefined;
}

/** A face that was damaged. */
export interface DamagedFace {
  /** Among the images that were given. */
  readonly index: number;
  /** For what its damage leaves to chance. */
  readonly seed: number;
}

/** What the model made of the faces that could be read. */
export interface DamagedFaces {
  /** (F) in the order of the images. */
  readonly faces: readonly DamagedFace[];
  /** (F) curves a kind. */
  readonly curves: ReadonlyMap<DamageName, readonly DamageCurve[]>;
  /** How many images could not be read. */
  readonly failed: number;
}

/** One picture for the network; no kind is the clean face. */
type Shown = Pixels & { readonly face: DamagedFace; readonly kind?: DamageName };

interface Measured {
  readonly kind: DamageName | undefined;
  readonly embedding: Float32Array;
  readonly magnitude: number;
}

/**
 * @param images - aligned faces of 112 x 112 pixels; one that cannot be read is told and left out
 * @param magface - its recogniser is measured
 * @throws {ModelError} when the network cannot run; the signal's reason
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

  /** Each clean face, then all of it damaged: memory holds no more than the network takes at once. */
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

/** @returns the face with one kind of damage, the same for the same seed; strength 0 changes nothing */
export const damaged = (face: Pixels, kind: DamageName, strength: number, seed: number): Pixels =>
  allDamages[kind].apply(face, strength, seed);

/** @returns a strength, 0 to 1, in the unit of its kind, for people: `σ 2.5 px` */
export const describeDamage = (kind: DamageName, strength: number): string => allDamages[kind].describe(strength);

/** @param measured - all versions of one face, the clean one first, steps in their order */
function curveOf(measured: readonly Measured[], kind: DamageName): DamageCurve {
  const clean = measured[0]!;
  const steps = [clean, ...measured.filter((one) => one.kind === kind)];
  return {
    magnitudes: steps.map(({ magnitude }) => magnitude),
    similarities: steps.map(({ embedding }) => similarity(embedding, clean.embedding)),
  };
}

/** Damage may leave so little that a network answers all zeros, which point nowhere. */
function similarity(a: Float32Array, b: Float32Array): number {
  const empty = (embedding: Float32Array): boolean => embedding.every((value) => value === 0);
  return empty(a) || empty(b) ? 0 : compare(a, b);
}
