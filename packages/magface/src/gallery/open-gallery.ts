/** Opens the gallery of a loaded model. */
import type { LoadedModel } from '../models/load-model.ts';
import { Gallery, type GalleryOptions } from './gallery.ts';

/**
 * Opens the gallery of a model, or creates it.
 *
 * @param where - a folder, which is created if needed, or `postgres://user:password@host/database` with pgvector
 * @param model - the recogniser: `magface.model`
 * @param options - `readOnly` opens an existing gallery, even while another process writes to it; `key` protects it
 * @throws {ConfigError} if it cannot be opened
 * @throws {ServiceError} `wrong_model` if it belongs to another model
 */
export function openGallery(
  where: string,
  { name, digest, contract }: Pick<LoadedModel<'recogniser'>, 'name' | 'digest' | 'contract'>,
  options: GalleryOptions = {},
): Promise<Gallery> {
  return Gallery.open(where, { name, digest, embeddingLength: contract.embeddingLength }, options);
}
