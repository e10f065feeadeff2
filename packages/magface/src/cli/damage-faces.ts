/** Faces through every kind of damage in steps, and what a model makes of them. */
import { allDamages } from '../degrade/node/jpeg.ts';
import { ImageError } from '../errors.ts';
import type { DamageCurve } from '../eval/robustness.ts';
import { readAligned } from '../infer/node/read-image.ts';
import type { Pixels } from '../pixels.ts';
import type { DamageExample } from '../report/robustness-page.ts';
import { compare } from '../similarity.ts';
import type { Context } from './context.ts';
import type { ImageFile } from './inputs.ts';
import type { OutputFlags } from './options.ts';
import { startProgress } from './progress.ts';
import { named } from './run-images.ts';
import type { Recogniser } from './services.ts';

/** What can be done to a face. */
type Kind = keyof typeof allDamages;
const kinds = Object.keys(allDamages) as Kind[];

/** A strength in the unit of its kind, for people. */
export const describeDamage = (kind: string, strength: number): string => allDamages[kind as Kind].describe(strength);

export interface DamagedFaces {
  /** (F) the faces that could be read, each with the seed of its damage. */
  readonly faces: readonly SeededFace[];
  /** (F) curves a kind. */
  readonly curves: ReadonlyMap<string, readonly DamageCurve[]>;
  /** A sentence for each face that could not be read. */
  readonly failures: readonly string[];
}

interface SeededFace {
  readonly file: ImageFile;
  readonly seed: number;
}

interface DamageOptions extends Pick<OutputFlags, 'quiet'> {
  /** (S + 1) from 0. */
  readonly strengths: readonly number[];
  readonly seed: number;
  readonly context: Context;
}

/** One picture for the network; no kind is the clean face. */
type Shown = Pixels & { readonly face: SeededFace; readonly kind?: Kind };

interface Measured {
  readonly kind: Kind | undefined;
  readonly embedding: Float32Array;
  readonly magnitude: number;
}

/** @param files - aligned faces; one that cannot be read is told and left out */
export async function damageFaces(
  files: readonly ImageFile[],
  magface: Recogniser,
  { strengths, seed, context, quiet = false }: DamageOptions,
): Promise<DamagedFaces> {
  const { signal, stderr } = context;
  const progress = startProgress(stderr, { total: files.length, unit: 'faces', quiet });
  const [faces, failures]: [SeededFace[], string[]] = [[], []];
  const curves = new Map<Kind, DamageCurve[]>(kinds.map((kind) => [kind, []]));

  /** Each clean face, then all of it damaged: memory holds no more than the network takes at once. */
  async function* pictures(): AsyncGenerator<Shown> {
    for (const [number, file] of files.entries()) {
      const clean = await readAligned(file.path, { signal }).catch((error: unknown) => {
        if (!(error instanceof ImageError)) throw error;
        failures.push(named(withRemedy(error), file));
        progress.note(failures.at(-1)!);
      });
      const face = { file, seed: seed + number };
      if (clean !== undefined) yield* versions(clean, face, strengths);
    }
  }

  let measured: Measured[] = [];
  try {
    for await (const result of magface.stream(pictures(), { aligned: true, signal })) {
      if (result.error !== undefined) throw result.error;
      measured.push({ ...result.faces[0]!, kind: result.input.kind });
      if (measured.length <= kinds.length * (strengths.length - 1)) continue;
      for (const kind of kinds) curves.get(kind)!.push(curveOf(measured, kind));
      progress.update(faces.push(result.input.face) + failures.length);
      measured = [];
    }
    signal.throwIfAborted();
  } finally {
    progress.stop();
  }
  return { faces, curves, failures };
}

/** Faces are aligned here whatever the flags: only cutting them out helps. */
const withRemedy = ({ code, message }: ImageError): string =>
  code === 'image_wrong_size' ? message.replace(/: align it first.*$/, ': cut it out with `magface align`.') : message;

function* versions(clean: Pixels, face: SeededFace, strengths: readonly number[]): Generator<Shown> {
  yield { ...clean, face };
  for (const kind of kinds)
    for (const strength of strengths.slice(1))
      yield { ...allDamages[kind].apply(clean, strength, face.seed), face, kind };
}

/** @param measured - all versions of one face, the clean one first, steps in their order */
function curveOf(measured: readonly Measured[], kind: Kind): DamageCurve {
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

/** @returns the face of median magnitude through all kinds and steps: neither the best case nor the worst */
export async function damageExample(
  { faces, curves }: Pick<DamagedFaces, 'faces' | 'curves'>,
  strengths: readonly number[],
): Promise<DamageExample> {
  const { cropPicture } = await import('./pictures.ts');
  const magnitudeOf = (face: number): number => curves.get(kinds[0]!)![face]!.magnitudes[0]!;
  const rising = faces.map((_, face) => face).sort((a, b) => magnitudeOf(a) - magnitudeOf(b));
  const chosen = rising[rising.length >> 1]!;
  const { file, seed } = faces[chosen]!;
  const clean = await readAligned(file.path);
  const rows = kinds.map(async (kind) => {
    const { magnitudes, similarities } = curves.get(kind)![chosen]!;
    const steps = strengths.map(async (strength, step) => ({
      damage: step === 0 ? 'clean' : describeDamage(kind, strength),
      picture: await cropPicture(allDamages[kind].apply(clean, strength, seed)),
      magnitude: magnitudes[step]!,
      similarity: similarities[step]!,
    }));
    return { kind, steps: await Promise.all(steps) };
  });
  return { name: file.name, rows: await Promise.all(rows) };
}
