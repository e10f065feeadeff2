/** A disk that fills while a model is kept. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { writeCached } from '../../src/models/cache.ts';

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  const open: typeof real.open = async (...given) => {
    const file = await real.open(...given);
    file.write = () => Promise.reject(Object.assign(new Error('no space left on device'), { code: 'ENOSPC' }));
    return file;
  };
  return { ...real, open };
});

test('gives one sentence with a remedy, and leaves no file behind', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'magface full '));
  await expect(writeCached(folder, Uint8Array.of(1), 'a-model')).rejects.toMatchObject({
    code: 'model_cache_failed',
    message: `Expected to cache a-model in ${folder} but the disk is full: free some space, or set MAGFACE_CACHE to another folder.`,
  });
  expect(await readdir(join(folder, 'models'))).toEqual([]);
  await rm(folder, { recursive: true });
});
