/**
 * Feature files, written as features come: memory stays flat for any number of rows. By the name's ending:
 *
 *     .list         the official text: `name v1 … vD `, a line an image
 *     .npy          (N, D) float32; names, a line each, in NAME.names.txt beside it
 *     .safetensors  `embeddings` (N, D) F32 and `names` U8, the names' UTF-8 joined by line feeds
 *     .jsonl        `{"image", "magnitude", "embedding"}`, a line an image
 */
import { extname } from 'node:path';
import { ConfigError, ShapeError } from '../errors.ts';
import { type FeatureLayoutFactory, jsonLayout, npyLayout, safetensorsLayout, textLayout } from './feature-layouts.ts';

export interface FeatureWriterOptions {
  /** D. @default that of the first feature */
  readonly dimension?: number | undefined;
  /** What a `.safetensors` shall say about itself; the other formats have no place for it. @default none */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

/** A feature file being written. */
export interface FeatureWriter {
  /**
   * Appends one row; await it, so that memory stays flat.
   *
   * @param embedding - (D) float32, copied before this returns
   * @throws {ShapeError} when D is not that of the rows before
   * @throws {ConfigError} when the format has no way to hold such a name
   */
  write(name: string, embedding: Float32Array): Promise<void>;
  /** Gives the file its name; on return it is on the disk, whole. */
  close(): Promise<void>;
  /** Leaves nothing behind, for a run that failed. */
  discard(): Promise<void>;
}

const layouts: Readonly<Record<string, FeatureLayoutFactory>> = {
  '.list': textLayout,
  '.npy': npyLayout,
  '.safetensors': safetensorsLayout,
  '.jsonl': jsonLayout,
};

/** @throws {ConfigError} when the ending names no feature format */
export async function createFeatureWriter(path: string, options: FeatureWriterOptions = {}): Promise<FeatureWriter> {
  const create = layouts[extname(path)];
  if (create === undefined) {
    const endings = Object.keys(layouts).join(', ');
    throw new ConfigError('output', `Expected a feature file ending in one of ${endings} but received ${path}.`);
  }
  const layout = await create(path, options.metadata ?? {});
  let [rows, dimension] = [0, options.dimension ?? 0];
  let begun: Promise<void> | undefined;
  const begin = (): Promise<void> => {
    begun ??= layout.begin(dimension);
    return begun;
  };
  return {
    async write(name, embedding) {
      if (dimension === 0) dimension = embedding.length;
      if (embedding.length !== dimension || dimension === 0) {
        throw new ShapeError(
          `Expected a feature of shape (${dimension}) for ${name} but received (${embedding.length}).`,
        );
      }
      rows++;
      await Promise.all([begin(), layout.row(name, embedding)]);
    },
    async close() {
      await begin();
      await layout.end(rows, dimension);
    },
    discard: () => layout.discard(),
  };
}
