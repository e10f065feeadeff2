/** Measures every image of a verification set by quality methods, and caches the values. */
import { firstLine, MagfaceError } from '../../errors.ts';
import type { AnalyzedFace } from '../../face.ts';
import type { MagFace } from '../../infer/node/magface.ts';
import { cacheFolder } from '../../models/cache.ts';
import { type EmbeddingModels, type EmbedSetOptions, featuresPath } from '../embed-set.ts';
import type { FaceSet } from '../face-set.ts';
import { type EmbeddedImages, featureCachePath, readFeatureCache, throughCache } from '../feature-cache.ts';
import { type MethodParts, openMethods } from './open-methods.ts';

/** Increment this when a method's values change. */
const version = 1;

/** Faces that methods get at a time. */
const batchSize = 32;

/** The models, the engine and the stream of faces; a `MagFace` has them. */
export type FaceSource = EmbeddingModels & MethodParts & Pick<MagFace, 'stream'>;

export interface MeasureSetOptions extends Omit<EmbedSetOptions, 'flip'> {
  /** Called while images are measured. */
  readonly onImage?: ((done: number, total: number) => void) | undefined;
}

/**
 * @param names - as {@link openMethod} takes them
 * @returns (N) values of each method, by name; higher is better
 * @throws {MagfaceError} `feature_missing` naming an image without a face
 */
export async function measureSet(
  set: FaceSet,
  magface: FaceSource,
  names: readonly string[],
  options: MeasureSetOptions = {},
): Promise<Map<string, Float32Array>> {
  const features = featuresPath(set, magface, { ...options, flip: false });
  const paths = names.map((name) => (options.cacheDir === false ? undefined : pathOf(features, name, options)));
  const kept = await Promise.all(paths.map((path) => (path === undefined ? undefined : readFeatureCache(path))));
  const missing = names.filter((_, i) => kept[i] === undefined);
  const measured = missing.length === 0 ? undefined : await measureImages(set, magface, missing, options);
  const values = new Map<string, Float32Array>();
  for (const [i, name] of names.entries()) {
    const compute = async (): Promise<EmbeddedImages> => {
      const magnitudes = measured!.get(name)!;
      return { values: magnitudes, dimension: 1, magnitudes };
    };
    values.set(name, (kept[i] ?? (await throughCache(paths[i], compute)).images).magnitudes);
  }
  return values;
}

const pathOf = (features: string, name: string, { cacheDir }: EmbedSetOptions): string =>
  featureCachePath(cacheFolder(cacheDir === false ? undefined : cacheDir), [version, name, features]);

/** Reads the images once for all methods. */
async function measureImages(
  set: FaceSet,
  magface: FaceSource,
  names: readonly string[],
  { onImage, aligned, minScore, minFace, signal }: MeasureSetOptions,
): Promise<Map<string, Float32Array>> {
  await using methods = await openMethods(names, magface);
  const values = new Map(names.map((name) => [name, new Float32Array(set.images.length)]));
  let waiting: { readonly index: number; readonly face: AnalyzedFace }[] = [];
  const flush = async (): Promise<void> => {
    const measured = await methods.measure(waiting.map(({ face }) => face));
    for (const [i, { index }] of waiting.entries())
      for (const [name, value] of Object.entries(measured[i]!)) values.get(name)![index] = value;
    waiting = [];
  };
  async function* encoded(): AsyncGenerator<Uint8Array> {
    for (const image of set.images) yield image.read();
  }
  for await (const { index, faces, error } of magface.stream(encoded(), { aligned, minScore, minFace, signal })) {
    const face = faces?.[0];
    if (face === undefined) {
      const message = {
        expected: `a face in every image of ${set.name}`,
        subject: set.images[index]!.name,
        problem: error === undefined ? 'shows none' : `cannot be used (${firstLine(error)})`,
        remedy: 'replace the image, or leave it out',
      };
      throw new MagfaceError('feature_missing', message);
    }
    waiting.push({ index, face });
    if (waiting.length === batchSize) await flush();
    onImage?.(index + 1, set.images.length);
  }
  await flush();
  return values;
}
