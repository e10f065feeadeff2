/** The page at `/`: static files of the package, with the headers that they need. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';
import { pageHeaders } from '../hosting/headers.ts';

/** The built page, also when running from source (tests), since it is always built. */
const built = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? '../../dist/page' : '../page', import.meta.url));

/** @param folder - the page's files. @default the package's own; if missing, `/` leads to the documentation */
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

/** Serves the service's models to the page, so that both give the same numbers. */
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
