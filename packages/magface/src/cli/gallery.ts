/** Opens a command's gallery. */
import type { DatabaseOptions } from '../gallery/database.ts';
import type { Gallery } from '../gallery/gallery.ts';
import type { LoadedModel } from '../models/load-model.ts';

/** The gallery of a command that needs one. */
export const gallerySettings = {
  gallery: {
    group: 'Gallery:',
    takes: 'text',
    value: '<where>',
    says: 'the gallery: a folder, or postgres://... with pgvector',
    required: true,
  },
} as const;

export const galleryWords: string = gallerySettings.gallery.says;

/** Runs before a model loads. @throws {ConfigError} if the folder has no gallery */
export async function expectGallery(where: string): Promise<void> {
  const { expectFolder } = await import('../gallery/database.ts');
  expectFolder(where);
}

/** Runs before a model loads. @throws {ConfigError} if the folder holds files that are not a gallery */
export async function expectGalleryRoom(where: string): Promise<void> {
  const { expectRoom } = await import('../gallery/database.ts');
  await expectRoom(where);
}

/**
 * @param where - as given by the user
 * @throws {ServiceError} `wrong_model` if it belongs to another model
 */
export async function openGallery(
  where: string,
  model: Pick<LoadedModel<'recogniser'>, 'name' | 'digest' | 'contract'>,
  { readOnly }: DatabaseOptions = {},
): Promise<Gallery> {
  const { openGallery: open } = await import('../gallery/open-gallery.ts');
  return open(where, model, { readOnly });
}
