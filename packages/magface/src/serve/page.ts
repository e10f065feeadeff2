/** The page that people see at `/`: static files that the package carries, with the headers that they were made for. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';
import { pageHeaders } from '../hosting/headers.ts';

/** Where the build puts the page; from source (tests) too, since the page is always built. */
const built = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? '../../dist/page' : '../page', import.meta.url));

/** @param folder - of the page's files. @default the package's own; without one, `/` leads to the documentation */
export async function addPage(app: FastifyInstance, folder: string = built): Promise<void> {
  if (!existsSync(`${folder}/index.html`)) {
    app.get('/', { schema: { hide: true } }, async (_request, reply) => reply.redirect('/docs'));
    return;
  }
  await app.register(fastifyStatic, {
    root: folder,
    decorateReply: false,
    logLevel: 'warn',
    schemaHide: true,
    setHeaders: (reply) => {
      for (const [name, value] of Object.entries(pageHeaders)) reply.setHeader(name, value);
    },
  });
}

/** The models that the page loads, so that it and the service give the same numbers. */
export function addPageModels(app: FastifyInstance, files: ReadonlyMap<string, Uint8Array>): void {
  for (const [name, bytes] of files) {
    const isList = name.endsWith('.json');
    app.get(`/models/${name}`, { schema: { hide: true } }, async (_request, reply) =>
      reply
        .headers({ ...pageHeaders, 'Cache-Control': isList ? 'no-cache' : 'public, max-age=31536000, immutable' })
        .type(isList ? 'application/json' : 'application/octet-stream')
        .send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)),
    );
  }
}
