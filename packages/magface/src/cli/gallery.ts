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

/** Asks before a model is loaded. @throws {ConfigError} when the folder is no gallery and holds other files */
export async function expectGalleryRoom(where: string, context: Pick<Context, 'cwd'>): Promise<void> {
  const { expectRoom } = await import('../gallery/database.ts');
  await expectRoom(placeOf(where, context));
}

/**
 * @param where - as the user gave it
 * @throws {ServiceError} `wrong_model` when it was made with another model
 */
export async function openGallery(
  where: string,
  model: Pick<LoadedModel<'recogniser'>, 'name' | 'digest' | 'contract'>,
  { cwd, readOnly }: Pick<Context, 'cwd'> & DatabaseOptions,
): Promise<Gallery> {
  const { openGallery: open } = await import('../gallery/open-gallery.ts');
  return open(placeOf(where, { cwd }), model, { readOnly });
}
