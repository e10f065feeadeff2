/** Serves the page whose scripts run the library in a browser (`test/browser/harness`). */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { pageHeaders } from '../../src/hosting/headers.ts';
import { type FileServer, serveFiles } from './file-server.ts';

/** @param files - further files, by path @returns a server whose `close` also removes the built page */
export async function serveHarness(files: ReadonlyMap<string, Uint8Array>): Promise<FileServer> {
  const folder = await mkdtemp(join(tmpdir(), 'magface-harness-'));
  const root = fileURLToPath(new URL('../browser/harness', import.meta.url));
  const options = { outDir: folder, target: 'es2022', emptyOutDir: true };
  await build({ root, configFile: false, logLevel: 'error', worker: { format: 'es' }, build: options });
  const server = await serveFiles(folder, { files, headers: pageHeaders });
  return {
    ...server,
    close: async () => {
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
