/**
 * The cache of downloaded models. A file's name holds the SHA-256 that it must have, so a changed or broken file is
 * noticed and fetched again; files are written under a temporary name, synced and renamed, so that two processes, a full
 * disk or a cut cable leave nothing half done.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import envPaths from 'env-paths';
import { ModelError } from '../errors.ts';

/** @returns the given folder, else MAGFACE_CACHE, else the folder that the system sets aside for caches. */
export function cacheFolder(given?: string): string {
  return given ?? process.env['MAGFACE_CACHE'] ?? envPaths('magface', { suffix: '' }).cache;
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Where a file with this digest is kept. */
export const cachePath = (folder: string, digest: string): string => join(folder, 'models', `${digest}.onnx`);

/** @returns the cached bytes, or undefined when they are not there or no longer what they were. */
export async function readCached(folder: string, digest: string): Promise<Uint8Array | undefined> {
  const bytes = await readFile(cachePath(folder, digest)).catch(() => undefined);
  return bytes !== undefined && sha256(bytes) === digest ? bytes : undefined;
}

/**
 * @param model - for the message
 * @throws {ModelError} `model_cache_failed` when the disk is full or the folder cannot be written
 */
export async function writeCached(folder: string, bytes: Uint8Array, model: string): Promise<string> {
  const path = cachePath(folder, sha256(bytes));
  const temporary = `${path}.${randomUUID()}.part`;
  try {
    await mkdir(join(folder, 'models'), { recursive: true });
    const file = await open(temporary, 'wx');
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    return path;
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined);
    const { code } = cause as NodeJS.ErrnoException;
    const why =
      code === 'ENOSPC' ? 'the disk is full: free some space' : `it cannot be written (${code}): check the folder`;
    const message = `Expected to keep ${model} in ${folder} but ${why}, or set MAGFACE_CACHE to another folder.`;
    throw new ModelError('model_cache_failed', model, message, { cause });
  }
}
