/** The features of a verification set by a model, computed once: the next run finds them in the cache. */
import { dirname } from 'node:path';
import { ImageError, MagfaceError } from '../../errors.ts';
import type { FaceSet } from '../../eval/face-set.ts';
import {
  type EmbeddedImages,
  featureCachePath,
  readFeatureCache,
  writeFeatureCache,
} from '../../eval/feature-cache.ts';
import type { LoadedPairs } from '../../eval/load-pairs.ts';
import { pairQuality } from '../../eval/reject.ts';
import { cosineSimilarities } from '../../eval/verification.ts';
import { cacheFolder } from '../../models/cache.ts';
import type { LoadedModel } from '../../models/load-model.ts';
import { type Context, note } from '../context.ts';
import type { ModelFlags, OutputFlags } from '../options.ts';
import { startProgress } from '../progress.ts';
import { downloadNotes, loadMagFace, streamOptions } from '../run-images.ts';
import type { Recogniser } from '../services.ts';

/** How a set's images become features. */
export interface EmbedSetFlags extends ModelFlags, OutputFlags {
  readonly flip?: boolean;
  /** False computes anew and keeps nothing. @default true */
  readonly cache?: boolean;
}

/** A set as all measures take it. */
export interface EmbeddedSet extends LoadedPairs {
  readonly model: LoadedModel<'recogniser'>;
}

/**
 * @throws {MagfaceError} `feature_missing` naming the images that gave no feature: figures over the rest would be others
 */
export async function embedSet(set: FaceSet, flags: EmbedSetFlags, context: Context): Promise<EmbeddedSet> {
  const { model, parts } = await settingsOf(flags, context);
  const folder = cacheFolder(context.env['MAGFACE_CACHE']);
  const path = featureCachePath(folder, [...parts, ...set.images.map(({ digest }) => digest)]);
  const cached = flags.cache === false ? undefined : await readFeatureCache(path);
  const embedded = cached ?? (await compute(set, flags, context));
  if (cached !== undefined && flags.quiet !== true) note(context, `Features of ${set.name} come from the cache.`);
  else if (flags.cache !== false) await keep(path, embedded, { flags, context });
  const { values, dimension, magnitudes } = embedded;
  const features = { values, dimension, names: set.images.map(({ name }) => name) };
  return {
    model,
    features,
    rows: set.pairs,
    similarities: cosineSimilarities(features, set.pairs),
    same: set.pairs.same,
    qualities: magnitudes,
    quality: pairQuality(magnitudes, set.pairs),
    columns: set.columns,
    ...(set.views && { views: set.views }),
  };
}

/** The model itself, and all besides the images that its features depend on. */
async function settingsOf(
  flags: EmbedSetFlags,
  context: Context,
): Promise<{ readonly model: LoadedModel<'recogniser'>; readonly parts: (string | boolean | number | null)[] }> {
  const { aligned = false, flip = false, minFaceScore = null, minFace = null, offline } = flags;
  const { defaultModels } = await import('../../infer/node/magface.ts');
  const { chooseEngine } = await import('../../infer/node/engine.ts');
  const load = (name: string) =>
    context.services.loadModel(name, {
      cacheDir: context.env['MAGFACE_CACHE'],
      offline,
      signal: context.signal,
      onProgress: downloadNotes(flags, context),
    });
  const model = await load(flags.model ?? defaultModels.recogniser);
  const detector = aligned ? undefined : await load(flags.detector ?? defaultModels.detector);
  if (model.contract.kind !== 'recogniser')
    throw new MagfaceError('model_wrong_contract', `Expected a recogniser but ${model.name} is a detector.`);
  const input = JSON.stringify(model.contract.input);
  const { name: engine } = await chooseEngine(model, { engine: flags.engine, cacheDir: context.env['MAGFACE_CACHE'] });
  const parts = [
    model.digest,
    engine,
    input,
    detector?.digest ?? null,
    flip,
    ...(aligned ? [] : [minFaceScore, minFace]),
  ];
  return { model: model as LoadedModel<'recogniser'>, parts };
}

async function compute(set: FaceSet, flags: EmbedSetFlags, context: Context): Promise<EmbeddedImages> {
  await using magface = await loadMagFace(flags, context, set.images.length);
  const total = set.images.length;
  const dimension = magface.model.contract.embeddingLength;
  const values = new Float32Array(total * dimension);
  const magnitudes = new Float32Array(total);
  const failed: string[] = [];
  const progress = startProgress(context.stderr, { total, unit: `images of ${set.name}`, quiet: flags.quiet === true });
  try {
    for await (const { index, faces, error } of results(magface, set, flags, context.signal)) {
      const face = faces?.[0];
      if (face === undefined) failed.push(`${set.images[index]!.name} (${reasonOf(error)})`);
      else {
        values.set(face.embedding, index * dimension);
        magnitudes[index] = face.magnitude;
      }
      progress.update(index + 1);
    }
  } finally {
    progress.stop();
  }
  if (failed.length === 0) return { values, dimension, magnitudes };
  const [shown, rest] = [failed.slice(0, 5).join(', '), failed.length - 5];
  const message = `Expected a feature of every image of ${set.name} but ${failed.length} of ${total} gave none: ${shown}${rest > 0 ? ` and ${rest} more` : ''}. Use --aligned for faces cut to 112x112, another --detector, or a list of pairs without them.`;
  throw new MagfaceError('feature_missing', message);
}

function results(
  magface: Recogniser,
  { images }: FaceSet,
  flags: EmbedSetFlags,
  signal: AbortSignal,
): ReturnType<Recogniser['stream']> {
  async function* encoded(): AsyncGenerator<Uint8Array> {
    for (const image of images) yield image.read();
  }
  return magface.stream(encoded(), streamOptions(flags, signal));
}

const reasonOf = (error: MagfaceError | undefined): string =>
  error instanceof ImageError ? error.code.replaceAll('_', ' ') : (error?.code ?? 'no face');

/** Features that cannot be kept are no reason to lose the figures. */
async function keep(
  path: string,
  images: EmbeddedImages,
  { flags, context }: { readonly flags: EmbedSetFlags; readonly context: Context },
): Promise<void> {
  try {
    await writeFeatureCache(path, images);
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    if (flags.quiet !== true) note(context, `Features could not be kept in ${dirname(path)} (${why}).`);
  }
}
