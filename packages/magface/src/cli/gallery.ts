/** Opens a command's gallery. */
import { resolve } from 'node:path';
import type { DatabaseOptions } from '../gallery/database.ts';
import type { Gallery } from '../gallery/gallery.ts';
import type { LoadedModel } from '../models/load-model.ts';
import type { Context } from './context.ts';

/** Help of `--gallery`. */
export const galleryWords = 'the gallery: a folder, or postgres://... with pgvector';

const placeOf = (where: string, { cwd }: Pick<Context, 'cwd'>): string =>
  where.includes('://') ? where : resolve(cwd, where);

/** Runs before a model loads. @throws {ConfigError} if the folder has no gallery */
export async function expectGallery(where: string, context: Pick<Context, 'cwd'>): Promise<void> {
  const { expectFolder } = await import('../gallery/database.ts');
  expectFolder(placeOf(where, context));
}

/** Runs before a model loads. @throws {ConfigError} if the folder holds files that are not a gallery */
export async function expectGalleryRoom(where: string, context: Pick<Context, 'cwd'>): Promise<void> {
  const { expectRoom } = await import('../gallery/database.ts');
  await expectRoom(placeOf(where, context));
}

/**
 * @param where - as given by the user
 * @throws {ServiceError} `wrong_model` if it belongs to another model
 */
export async function openGallery(
  where: string,
  model: Pick<LoadedModel<'recogniser'>, 'name' | 'digest' | 'contract'>,
  { cwd, readOnly }: Pick<Context, 'cwd'> & DatabaseOptions,
): Promise<Gallery> {
  const { openGallery: open } = await import('../gallery/open-gallery.ts');
  return open(placeOf(where, { cwd }), model, { readOnly });
}
