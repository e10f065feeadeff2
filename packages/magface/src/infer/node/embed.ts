/** One photo in, one embedding out. */
import { ImageError } from '../../errors.ts';
import type { AnalyzeOptions } from '../pipeline.ts';
import { type LoadOptions, MagFace } from './magface.ts';
import { type ImageInput, nameOf } from './read-image.ts';

/** Options of {@link embed}. */
export interface EmbedOptions
  extends Pick<LoadOptions, 'model' | 'offline' | 'cacheDir'>,
    Pick<AnalyzeOptions, 'aligned' | 'flip' | 'signal'> {}

/** Open models, by the options that choose them. */
const open = new Map<string, Promise<MagFace>>();

/**
 * Embeds the largest face of a photo. The models stay open for the next call, until the process ends; to choose when they are
 * freed, or for all faces, use {@link MagFace}.
 *
 * @returns (D) float32, not normalized: its length, `magnitudeOf(embedding)`, is the face's quality
 * @throws {ImageError} if the image cannot be used, or `no_face`
 * @throws {ModelError} if a model cannot be found, downloaded, verified, read or run
 *
 * @example
 * ```ts
 * import { compare, embed } from 'magface';
 *
 * const ann = await embed('ann.jpg');
 * console.log(ann.length, compare(ann, await embed('bea.jpg')));
 * ```
 */
export async function embed(image: ImageInput, options: EmbedOptions = {}): Promise<Float32Array> {
  const { aligned = false, flip = false, signal } = options;
  const magface = await opened(options);
  const [face] = await magface.analyze(image, { aligned, flip, signal });
  if (face !== undefined) return face.embedding;
  const name = nameOf(image);
  throw new ImageError('no_face', name, {
    expected: 'a face',
    subject: name,
    problem: 'shows none',
    remedy: 'pass another photo, or `aligned` for a face of 112x112',
  });
}

function opened({ model, offline, cacheDir, aligned = false }: EmbedOptions): Promise<MagFace> {
  const key = JSON.stringify([model, offline, cacheDir, aligned]);
  const known = open.get(key);
  if (known !== undefined) return known;
  const loading = MagFace.load({ model, offline, cacheDir, ...(aligned && { detector: false as const }) });
  open.set(key, loading);
  loading.catch(() => open.delete(key)); // the next call tries again
  return loading;
}
