/** Opens an existing gallery without its model: for commands that compute no faces. */
import type { Gallery } from '../../gallery/gallery.ts';
import type { ConfigOf } from '../../settings/setting.ts';
import type { Context } from '../context.ts';
import { type GalleryFlags, galleryKey, gallerySettings } from '../gallery.ts';
import { outputSettings } from '../options.ts';

/** Settings of every command of a gallery. */
export const openSettings: typeof gallerySettings & typeof outputSettings = { ...gallerySettings, ...outputSettings };

export type OpenFlags = ConfigOf<typeof openSettings>;

/** @param readOnly - opens a copy of a folder, also while another process has it open */
export async function openExisting(
  { gallery, galleryKey: file }: GalleryFlags,
  context: Context,
  { readOnly }: { readonly readOnly: boolean },
): Promise<Gallery> {
  const { Gallery } = await import('../../gallery/gallery.ts');
  return Gallery.open(gallery, undefined, { readOnly, key: await galleryKey(file, context) });
}
