/** The gallery that a command names. */
import { resolve } from 'node:path';
import type { DatabaseOptions } from '../gallery/database.ts';
import type { Gallery } from '../gallery/gallery.ts';
import type { LoadedModel } from '../models/load-model.ts';
import type { Context } from './context.ts';

/** What `--gallery` takes. */
export const galleryWords = 'people by their faces: a folder, or postgres://... with pgvector';

const placeOf = (where: string, { cwd }: Pick<Context, 'cwd'>): string =>
  where.includes('://') ? where : resolve(cwd, where);

/** Asks before a model is loaded. @throws {ConfigError} when no gallery was made in the folder */
export async function expectGallery(where: string, context: Pick<Context, 'cwd'>): Promise<void> {
  const { expectFolder } = await import('../gallery/database.ts');
  expectFolder(placeOf(where, context));
}

/**
 * @param where - as the user gave it
 * @throws {ServiceError} `wrong_model` when it was made with another model
 */
export async function openGallery(
  where: string,
  { name, digest, contract }: Pick<LoadedModel<'recogniser'>, 'name' | 'digest' | 'contract'>,
  { cwd, create }: Pick<Context, 'cwd'> & DatabaseOptions,
): Promise<Gallery> {
  const { Gallery } = await import('../gallery/gallery.ts');
  return Gallery.open(placeOf(where, { cwd }), { name, digest, embeddingLength: contract.embeddingLength }, { create });
}
