/**
 * The cache of downloaded models. A file's name contains its expected SHA-256, so a changed or damaged file is
 * detected and fetched again. Files are written atomically.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import envPaths from 'env-paths';
import { z } from 'zod';
import { ConfigError, ModelError } from '../errors.ts';
import { sha256 } from '../format/digest.ts';
import { writeWhole } from '../format/file-writer.ts';
import { makeFolder } from '../machine/make-folder.ts';

/** @returns the given folder, else MAGFACE_CACHE, else the system's cache folder. */
export function cacheFolder(given?: string): string {
  return given ?? process.env['MAGFACE_CACHE'] ?? envPaths('magface', { suffix: '' }).cache;
}

/** The path of the file with this digest. */
export const cachePath = (folder: string, digest: string): string => join(folder, 'models', `${digest}.onnx`);

/** @returns the cached bytes, or undefined if they are missing or changed. */
export async function readCached(folder: string, digest: string): Promise<Uint8Array | undefined> {
  const bytes = await readFile(cachePath(folder, digest)).catch(() => undefined);
  return bytes !== undefined && sha256(bytes) === digest ? bytes : undefined;
}

/** The path of the recorded digest of an address. */
const notePath = (folder: string, address: string): string =>
  join(folder, 'models', `${sha256(Buffer.from(address))}.address.json`);

const addressNote = z.object({ address: z.string(), sha256: z.string().length(64) });

/** @returns the SHA-256 of the first download from this address; undefined if there was none */
export async function readAddressDigest(folder: string, address: string): Promise<string | undefined> {
  const text = await readFile(notePath(folder, address), 'utf8').catch(() => 'null');
  try {
    const note = addressNote.parse(JSON.parse(text));
    return note.address === address ? note.sha256 : undefined;
  } catch {
    return undefined; // absent, or truncated by a full disk: the next download writes it again
  }
}

/**
 * Records the digest of a download, so that it is not fetched again and works offline.
 *
 * @throws {ModelError} `model_cache_failed`
 */
export async function writeAddressDigest(folder: string, address: string, digest: string): Promise<void> {
  const text = JSON.stringify({ address, sha256: digest });
  await keep(notePath(folder, address), Buffer.from(text), { folder, model: address });
}

/**
 * @param model - for the message
 * @throws {ModelError} `model_cache_failed` if the disk is full or the folder is not writable
 */
export async function writeCached(folder: string, bytes: Uint8Array, model: string): Promise<string> {
  return keep(cachePath(folder, sha256(bytes)), bytes, { folder, model });
}

async function keep(
  path: string,
  bytes: Uint8Array,
  { folder, model }: { readonly folder: string; readonly model: string },
): Promise<string> {
  try {
    await makeFolder(join(folder, 'models'));
    await writeWhole(path, bytes);
    return path;
  } catch (cause) {
    const code = cause instanceof ConfigError ? 'EACCES' : (cause as NodeJS.ErrnoException).code;
    const [problem, remedy] =
      code === 'ENOSPC'
        ? ['the disk is full', 'free some space']
        : [`it cannot be written (${code})`, 'check the folder'];
    throw new ModelError(
      'model_cache_failed',
      model,
      {
        expected: `to cache ${model} in ${folder}`,
        problem,
        remedy: `${remedy}, or set MAGFACE_CACHE to another folder`,
      },
      { cause },
    );
  }
}
