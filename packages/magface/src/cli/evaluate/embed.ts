/** Embeds a verification set, with a bar and notes on the cache. */
import { dirname } from 'node:path';
import type { EmbeddingModels } from '../../eval/embed-set.ts';
import type { FaceSet } from '../../eval/face-set.ts';
import type { EmbeddedImages } from '../../eval/feature-cache.ts';
import type { LoadedPairs } from '../../eval/load-pairs.ts';
import type { MethodParts } from '../../eval/methods/open-methods.ts';
import { pairQuality } from '../../eval/reject.ts';
import type { ImageInput } from '../../infer/node/read-image.ts';
import type { AnalyzeOptions, StreamResult } from '../../infer/pipeline.ts';
import type { ModelKind } from '../../models/contract.ts';
import type { LoadedModel } from '../../models/load-model.ts';
import { type Context, note } from '../context.ts';
import type { ModelFlags, OutputFlags } from '../options.ts';
import { type Progress, startProgress } from '../progress.ts';
import { downloadNotes, loadMagFace, streamOptions } from '../run-images.ts';

/** Flags for embedding a set. */
export interface EmbedSetFlags extends ModelFlags, OutputFlags {
  readonly flip?: boolean | undefined;
  /** False neither reads nor writes the cache. @default true */
  readonly cache?: boolean;
  /** Images without a face get a feature of zeros. @default an error names them */
  readonly allowMissing?: boolean;
}

/** A set, ready for all measures. */
export interface EmbeddedSet extends LoadedPairs {
  readonly model: LoadedModel<'recogniser'>;
}

const remedy = 'use --aligned for faces cut to 112x112, another --detector, or a list of pairs without them';

/** Features of a set's images, and the model they are from. */
export interface EmbeddedFaces {
  readonly model: LoadedModel<'recogniser'>;
  readonly images: EmbeddedImages;
}

/** Embeds the images of a set and resolves its pairs. @throws {MagfaceError} `feature_missing` */
export async function embedSet(set: FaceSet, flags: EmbedSetFlags, context: Context): Promise<EmbeddedSet> {
  const { embeddedPairs } = await import('../../eval/embed-set.ts');
  const { model, images } = await embedFaces(set, flags, context);
  return { model, ...embeddedPairs(set, images) };
}

/**
 * @throws {MagfaceError} `feature_missing` naming the images without a feature, unless they are allowed: the rest would give
 * other figures
 */
export async function embedFaces(
  set: Pick<FaceSet, 'name' | 'images'>,
  flags: EmbedSetFlags,
  context: Context,
): Promise<EmbeddedFaces> {
  const { embedImages, featuresPath } = await import('../../eval/embed-set.ts');
  const { throughCache } = await import('../../eval/feature-cache.ts');
  const models = await modelsOf(flags, context);
  const { allowMissing } = flags;
  const options = {
    ...streamOptions(flags, context.signal),
    ...{ cacheDir: context.env['MAGFACE_CACHE'], remedy, allowMissing },
  };
  const path = flags.cache === false ? undefined : featuresPath(set, models, options);
  // Sessions are opened only if features are missing.
  const { images, isCached, unkept } = await throughCache(path, async () => {
    await using magface = await loadMagFace(flags, context, set.images.length);
    const unit = `images of ${set.name}`;
    const progress = startProgress(context.stderr, { total: set.images.length, unit, quiet: flags.quiet === true });
    try {
      return await embedImages(set, magface, { ...options, onImage: (done) => progress.update(done) });
    } finally {
      progress.stop();
    }
  });
  if (flags.quiet !== true && isCached) note(context, `Features of ${set.name} come from the cache.`);
  if (flags.quiet !== true && unkept !== undefined && path !== undefined) {
    const why = 'code' in unkept ? String(unkept.code) : String(unkept);
    note(context, `The features could not be cached in ${dirname(path)} (${why}).`);
  }
  return { model: models.model, images };
}

/**
 * Measures the faces of a set by other quality methods than the magnitude.
 *
 * @param names - as `openMethod` takes them
 * @returns (P) quality of each pair, by method
 */
export async function measureQualities(
  set: FaceSet,
  names: readonly string[],
  { flags, context }: { readonly flags: EmbedSetFlags; readonly context: Context },
): Promise<Record<string, Float64Array>> {
  if (names.length === 0) return {};
  const { measureSet } = await import('../../eval/methods/measure-set.ts');
  const models = await modelsOf(flags, context);
  const cacheDir = flags.cache === false ? (false as const) : context.env['MAGFACE_CACHE'];
  const unit = `images of ${set.name}, by ${names.join(', ')}`;
  let progress: Progress | undefined;
  // Sessions are opened only if values are missing.
  async function* stream<Input extends ImageInput>(
    inputs: Iterable<Input> | AsyncIterable<Input>,
    options?: AnalyzeOptions,
  ): AsyncGenerator<StreamResult<Input>> {
    await using magface = await loadMagFace(flags, context, set.images.length);
    progress = startProgress(context.stderr, { total: set.images.length, unit, quiet: flags.quiet === true });
    yield* magface.stream(inputs, options);
  }
  try {
    const options = { ...streamOptions(flags, context.signal), cacheDir };
    const onImage = (done: number): void => progress?.update(done);
    const values = await measureSet(set, { ...models, stream }, names, { ...options, onImage });
    return Object.fromEntries([...values].map(([name, of]) => [name, pairQuality(of, set.pairs)]));
  } finally {
    progress?.stop();
  }
}

async function modelsOf(flags: EmbedSetFlags, context: Context): Promise<EmbeddingModels & MethodParts> {
  const { defaultModels } = await import('../../infer/node/magface.ts');
  const { chooseEngine } = await import('../../infer/node/engine.ts');
  const cacheDir = context.env['MAGFACE_CACHE'];
  const fetching = { cacheDir, offline: flags.offline, signal: context.signal };
  const load = (name: string, kind: ModelKind): Promise<LoadedModel> =>
    context.services.loadModel(name, { ...fetching, kind, onProgress: downloadNotes(flags, context) });
  const finds = flags.aligned !== true;
  const model = (await load(flags.model ?? defaultModels.recogniser, 'recogniser')) as LoadedModel<'recogniser'>;
  return {
    model,
    detector: finds ? await load(flags.detector ?? defaultModels.detector, 'detector') : undefined,
    aligner: finds ? await load(defaultModels.aligner, 'aligner') : undefined,
    engine: await chooseEngine(model, { engine: flags.engine, device: flags.device, cacheDir }),
  };
}
