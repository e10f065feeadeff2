/** Lists the models of the registry and of the cache. */
import { stat } from 'node:fs/promises';
import { cacheFolder, cachePath } from './cache.ts';
import type { ModelKind } from './contract.ts';
import { readRegistry } from './registry.ts';

/** A model of the registry. */
export interface ModelRecord {
  readonly id: string;
  readonly kind: ModelKind;
  readonly cached: boolean;
  /** SPDX identifier. */
  readonly licence: string;
  readonly description: string;
  /** `https:` or `npm:`; null if the user must fetch the file. */
  readonly source: string | null;
}

/** Options for listing models. */
export interface ListModelsOptions {
  /** @default MAGFACE_CACHE, else the user's cache folder */
  readonly cacheDir?: string | undefined;
}

/**
 * Lists the models of the registry and whether each is on this machine.
 *
 * @returns one record per model
 */
export async function listModels(options: ListModelsOptions = {}): Promise<ModelRecord[]> {
  const folder = cacheFolder(options.cacheDir);
  const records = (await readRegistry()).map(
    async ({ id, description, source, sha256, contract }): Promise<ModelRecord> => {
      const found = sha256 === undefined ? undefined : await stat(cachePath(folder, sha256)).catch(() => undefined);
      const licence = contract.licence?.spdx ?? 'unknown';
      const cached = found !== undefined || source?.startsWith('package:') === true;
      return { id, kind: contract.kind, cached, licence, description, source: source ?? null };
    },
  );
  return Promise.all(records);
}
