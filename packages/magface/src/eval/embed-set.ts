/** Embeds verification sets and caches the features. */
import { ImageError, MagfaceError } from '../errors.ts';
import type { MagFace } from '../infer/node/magface.ts';
import type { Engine } from '../infer/node/tuning.ts';
import type { AnalyzeOptions } from '../infer/pipeline.ts';
import { cacheFolder } from '../models/cache.ts';
import type { LoadedModel } from '../models/load-model.ts';
import type { FaceSet } from './face-set.ts';
import { type EmbeddedImages, featureCachePath, throughCache } from './feature-cache.ts';
import type { LoadedPairs } from './load-pairs.ts';
import { pairQuality } from './reject.ts';
import { cosineSimilarities } from './verification.ts';

/** Options for embedding a set. */
export interface EmbedSetOptions extends Pick<AnalyzeOptions, 'aligned' | 'flip' | 'minScore' | 'minFace' | 'signal'> {
  /** Cache folder; false does not use a cache. @default MAGFACE_CACHE, else the user's cache folder */
  readonly cacheDir?: string | false | undefined;
  /** Called after each image with the number of finished images. */
  readonly onImage?: ((done: number, total: number) => void) | undefined;
  /** Remedy for images without a feature, for the error message. @default names these options */
  readonly remedy?: string | undefined;
  /** Images without a face get a feature of zeros instead of an error. @default false */
  readonly allowMissing?: boolean | undefined;
}

/** The models and the engine that features depend on; a `MagFace` has them. */
export interface EmbeddingModels {
  readonly model: LoadedModel<'recogniser'>;
  readonly detector: Pick<LoadedModel, 'digest'> | undefined;
  readonly aligner: Pick<LoadedModel, 'digest'> | undefined;
  readonly engine: Pick<Engine, 'name'>;
}

/**
 * Embeds the images of a verification set, or reads their features from the cache.
 *
 * @param set - from `openFaceSet`; pass `aligned` for a `.bin`, which holds aligned faces
 * @returns features and pairs, ready for {@link verify} and {@link errorVersusReject}
 * @throws {MagfaceError} `feature_missing` with the names of images without a feature
 *
 * @example A folder of aligned faces with its list of pairs
 * ```ts
 * import { MagFace } from 'magface';
 * import { embedFaceSet, openFaceSet, verify } from 'magface/eval';
 *
 * await using magface = await MagFace.load({ detector: false });
 * const set = await openFaceSet('aligned', { pairs: 'aligned/pairs.csv' });
 * const { features, rows } = await embedFaceSet(set, magface, { aligned: true, flip: true });
 * console.log(set.name, verify(features, rows, { folds: 2 }).cosineAccuracy);
 * await set.close();
 * ```
 */
export async function embedFaceSet(
  set: FaceSet,
  magface: EmbeddingModels & Pick<MagFace, 'stream'>,
  options: EmbedSetOptions = {},
): Promise<LoadedPairs> {
  const path = options.cacheDir === false ? undefined : featuresPath(set, magface, options);
  const { images } = await throughCache(path, () => embedImages(set, magface, options));
  return embeddedPairs(set, images);
}

/** @returns the path of the cached features */
export function featuresPath(
  { images }: Pick<FaceSet, 'images'>,
  { model, detector, aligner, engine }: EmbeddingModels,
  { aligned = false, flip = false, minScore, minFace, cacheDir, allowMissing = false }: EmbedSetOptions,
): string {
  const found = aligned
    ? [null]
    : [detector?.digest ?? null, aligner?.digest ?? null, minScore ?? null, minFace ?? null];
  const parts = [model.digest, engine.name, JSON.stringify(model.contract.input), flip, ...found];
  if (allowMissing) parts.push('allow-missing');
  const folder = cacheFolder(cacheDir === false ? undefined : cacheDir);
  return featureCachePath(folder, [...parts, ...images.map(({ digest }) => digest)]);
}

/** Embeds all images without a cache. @throws {MagfaceError} `feature_missing` */
export async function embedImages(
  set: Pick<FaceSet, 'name' | 'images'>,
  magface: Pick<MagFace, 'model' | 'stream'>,
  options: EmbedSetOptions,
): Promise<EmbeddedImages> {
  const { cacheDir: _, onImage, remedy = ownRemedy, allowMissing = false, ...wanted } = options;
  const total = set.images.length;
  const dimension = magface.model.contract.embeddingLength;
  const values = new Float32Array(total * dimension);
  const magnitudes = new Float32Array(total);
  const failed: string[] = [];
  async function* encoded(): AsyncGenerator<Uint8Array> {
    for (const image of set.images) yield image.read();
  }
  for await (const { index, faces, error } of magface.stream(encoded(), wanted)) {
    const face = faces?.[0];
    if (face === undefined) failed.push(`${set.images[index]!.name} (${reasonOf(error)})`);
    else {
      values.set(face.embedding, index * dimension);
      magnitudes[index] = face.magnitude;
    }
    onImage?.(index + 1, total);
  }
  if (failed.length === 0 || allowMissing) return { values, dimension, magnitudes };
  const [shown, rest] = [failed.slice(0, 5).join(', '), failed.length - 5];
  throw new MagfaceError('feature_missing', {
    expected: `a feature for every image of ${set.name}`,
    problem: `${failed.length} of ${total} have none (${shown}${rest > 0 ? `, and ${rest} more` : ''})`,
    remedy,
  });
}

const ownRemedy = 'use `aligned` for faces of 112x112, another detector, or a list of pairs without these images';

const reasonOf = (error: MagfaceError | undefined): string =>
  error instanceof ImageError ? error.code.replaceAll('_', ' ') : (error?.code ?? 'no face');

/** Joins a set and its features. */
export function embeddedPairs(set: FaceSet, { values, dimension, magnitudes }: EmbeddedImages): LoadedPairs {
  const features = { values, dimension, names: set.images.map(({ name }) => name) };
  return {
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
