/** The service as a Fastify application: everything around the routes. */
import multipart from '@fastify/multipart';
import fastify, { type FastifyInstance } from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import { ServiceError } from '../errors.ts';
import { keyGuard } from './access.ts';
import { errorHandler } from './answers.ts';
import { brokenRequestHandler } from './broken-request.ts';
import { addDocumentation } from './openapi.ts';
import type { ServeOptions } from './options.ts';
import { addPage } from './page.ts';
import { receivingGuard } from './receiving.ts';
import { addRoutes } from './routes.ts';
import type { ServerParts } from './server-parts.ts';
import { addUnknownAddress } from './unknown-address.ts';

/** @returns the application, ready for `listen` or `inject` */
export async function createServer(options: ServeOptions, parts: ServerParts): Promise<FastifyInstance> {
  const { inference, metrics, logs } = parts;
  const milliseconds = Math.ceil(1000 * options.timeout);
  const answerError = errorHandler(options);
  const app = fastify({
    logger: logs ?? false,
    bodyLimit: options.maxBytes,
    requestTimeout: milliseconds, // for receiving; deadline.ts has the rest
    http: { connectionsCheckingInterval: 500, headersTimeout: Math.min(10_000, milliseconds) },
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 200 },
    clientErrorHandler: brokenRequestHandler(options),
    frameworkErrors: answerError, // for addresses without a route, which skip error handlers
  });
  app.setValidatorCompiler((route) =>
    // Bodies are read by our code: a schema cannot check a stream of files.
    route.httpPart === 'body' ? () => true : validatorCompiler(route as Parameters<typeof validatorCompiler>[0]),
  );
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(answerError);
  addUnknownAddress(app, { people: parts.gallery !== undefined });
  metrics.watchQueue(() => inference.waiting);
  addGuards(app, options);
  app.addHook('onResponse', async (request, reply) =>
    metrics.answered(request.routeOptions.url ?? 'none', reply.statusCode, reply.elapsedTime / 1000),
  );
  app.addContentTypeParser(/^(image\/.+|application\/octet-stream)$/, { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  );
  const { maxBytes, maxImages } = options;
  await app.register(multipart, {
    limits: { fileSize: maxBytes, files: maxImages, parts: maxImages, fields: 0, headerPairs: 20 },
  });
  await addDocumentation(app);
  addRoutes(app, options, parts);
  await addPage(app, parts.pageFolder);
  return app;
}

/** Checks keys first, so that the service reads nothing from strangers. */
function addGuards(app: FastifyInstance, options: ServeOptions): void {
  const expectKey = keyGuard(options.apiKeys);
  const countIn = receivingGuard(options);
  app.addHook('onRequest', async (request, reply) => {
    if (/^\/(v1\/|metrics)/.test(request.routeOptions.url ?? '')) expectKey(request.headers);
    const coding = request.headers['content-encoding'] ?? 'identity';
    if (coding !== 'identity') {
      throw new ServiceError('wrong_media_type', {
        expected: 'an uncompressed body',
        problem: `its Content-Encoding is ${coding.slice(0, 20)}`,
        remedy: 'send it without Content-Encoding',
      });
    }
    countIn(request.raw, reply.raw);
  });
  let closing = false;
  app.addHook('preClose', async () => {
    closing = true;
  });
  app.addHook('onSend', async (_request, reply) => {
    reply.header('X-Content-Type-Options', 'nosniff');
    if (closing) reply.header('Connection', 'close'); // an idle connection would keep the process for another minute
  });
}
