/** A plain file server on this machine alone, for tests of pages. */

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml',
  '.jpg': 'image/jpeg',
  '.wasm': 'application/wasm',
};

export interface FileServerOptions {
  /** Sent with every file. @default none */
  readonly headers?: Readonly<Record<string, string>>;
  /** Files by path from the root, beside those of the folder. @default none */
  readonly files?: ReadonlyMap<string, Uint8Array>;
}

export interface FileServer {
  /** Ends in a slash. */
  readonly address: string;
  /** Paths that were asked for, in order. */
  readonly asked: string[];
  close(): Promise<void>;
}

export async function serveFiles(folder: string, options: FileServerOptions = {}): Promise<FileServer> {
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url!, 'http://localhost').pathname)).slice(1);
    const file = path === '' || path.endsWith('/') ? `${path}index.html` : path;
    asked.push(file);
    const bytes = options.files?.get(file) ?? (await readFile(join(folder, file)).catch(() => undefined));
    const type = types[extname(file)] ?? 'application/octet-stream';
    response.writeHead(bytes === undefined ? 404 : 200, { ...options.headers, 'Content-Type': type });
    response.end(bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { address: `http://127.0.0.1:${port}/`, asked, close };
}
