/** A gallery for the faces of a model that is loaded. */
import type { LoadedModel } from '../models/load-model.ts';
import type { DatabaseOptions } from './database.ts';
import { Gallery } from './gallery.ts';

/**
 * @param where - a folder, made when it is not there, or `postgres://user:password@host/database` with pgvector
 * @param model - whose embeddings it holds: `magface.model`
 * @param options - `readOnly` opens what is there already, even while another process has it open for writing
 * @throws {ConfigError} when it cannot be opened
 * @throws {ServiceError} `wrong_model` when it was made with another model
 */
export function openGallery(
  where: string,
  { name, digest, contract }: Pick<LoadedModel<'recogniser'>, 'name' | 'digest' | 'contract'>,
  options: DatabaseOptions = {},
): Promise<Gallery> {
  return Gallery.open(where, { name, digest, embeddingLength: contract.embeddingLength }, options);
}
