/** Caches features under the digest of everything they depend on. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { openSafetensors, writeSafetensors } from '../format/safetensors.ts';
import { float32Tensor, toFloat32 } from '../format/tensor.ts';
import { makeFolder } from '../machine/make-folder.ts';

/** The embeddings of N images. */
export interface EmbeddedImages {
  /** (N, D) float32, not normalized. */
  readonly values: Float32Array;
  readonly dimension: number;
  /** (N) magnitude of each face's own feature; for flip-sum features, without the mirror image. */
  readonly magnitudes: Float32Array;
}

/** Features, and whether they come from the cache. */
export interface CachedImages {
  readonly images: EmbeddedImages;
  readonly isCached: boolean;
  /** The error, if they could not be written to the cache. */
  readonly unkept?: Error | undefined;
}

/**
 * Reads features from the cache, or computes and caches them.
 *
 * @param path - undefined does not use the cache
 */
export async function throughCache(
  path: string | undefined,
  compute: () => Promise<EmbeddedImages>,
): Promise<CachedImages> {
  const cached = path === undefined ? undefined : await readFeatureCache(path);
  if (cached !== undefined) return { images: cached, isCached: true };
  const images = await compute();
  const kept = path === undefined ? undefined : writeFeatureCache(path, images);
  const unkept = await kept?.then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
  );
  return { images, isCached: false, unkept };
}

/** Increment this when features change for the same model and images. */
const version = 1;

/**
 * @param parts - model digest, settings, image digests: everything that changes the features
 * @returns the path of these features
 */
export function featureCachePath(folder: string, parts: readonly (string | boolean | number | null)[]): string {
  const key = createHash('sha256')
    .update(JSON.stringify([version, ...parts]))
    .digest('hex');
  return join(folder, 'features', `${key}.safetensors`);
}

/** @returns undefined if the file is missing or damaged */
export async function readFeatureCache(path: string): Promise<EmbeddedImages | undefined> {
  if (!existsSync(path)) return undefined;
  try {
    const file = await openSafetensors(path);
    try {
      const [embeddings, magnitudes] = [await file.read('embeddings'), await file.read('magnitudes')];
      const dimension = embeddings.shape[1]!;
      return { values: toFloat32(embeddings), dimension, magnitudes: toFloat32(magnitudes) };
    } finally {
      await file.close();
    }
  } catch {
    return undefined; // computed and written again
  }
}

async function writeFeatureCache(path: string, images: EmbeddedImages): Promise<void> {
  const { values, dimension, magnitudes } = images;
  await makeFolder(dirname(path));
  await writeSafetensors(
    path,
    new Map([
      ['embeddings', float32Tensor([magnitudes.length, dimension], values)],
      ['magnitudes', float32Tensor([magnitudes.length], magnitudes)],
    ]),
  );
}
