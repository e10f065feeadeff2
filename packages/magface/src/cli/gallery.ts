/** The gallery that a command names. */
import { resolve } from 'node:path';
import type { Gallery } from '../gallery/gallery.ts';
import type { LoadedModel } from '../models/load-model.ts';
import type { Context } from './context.ts';

/** What `--gallery` takes. */
export const galleryWords = 'people by their faces: a folder, or postgres://... with pgvector';

/**
 * @param where - as the user gave it
 * @throws {ServiceError} `wrong_model` when it was made with another model
 */
export async function openGallery(
  where: string,
  { name, digest, contract }: Pick<LoadedModel<'recogniser'>, 'name' | 'digest' | 'contract'>,
  { cwd }: Pick<Context, 'cwd'>,
): Promise<Gallery> {
  const { Gallery } = await import('../gallery/gallery.ts');
  const place = where.includes('://') ? where : resolve(cwd, where);
  return Gallery.open(place, { name, digest, embeddingLength: contract.embeddingLength });
}
