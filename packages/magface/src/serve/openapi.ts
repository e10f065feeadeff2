/** The description of the service for machines (/openapi.json) and people (/docs), made from the routes' own schemas. */
import { readFileSync } from 'node:fs';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';

/** How images may be sent. */
export const imageBodies: string[] = ['multipart/form-data', 'image/*', 'application/octet-stream', 'application/json'];

/** Bodies are read as streams, so routes have no schema for them: they are described here. */
const bodies = {
  'multipart/form-data': {
    schema: {
      type: 'object',
      required: ['image'],
      properties: { image: { type: 'array', items: { type: 'string', format: 'binary' } } },
    },
  },
  'image/*': { schema: { type: 'string', format: 'binary' } },
  'application/octet-stream': { schema: { type: 'string', format: 'binary' } },
  'application/json': {
    schema: {
      type: 'object',
      description: 'Only if the service was started with the hosts of these addresses.',
      required: ['urls'],
      properties: { urls: { type: 'array', items: { type: 'string', format: 'uri' } } },
    },
  },
} as const;

const onlyWithKeys = 'Only if the service was started with keys.';

/** Ways to send a key; one is enough. A route without a key has `security: noKey`. */
const keys = {
  bearer: { type: 'http', scheme: 'bearer', description: onlyWithKeys },
  header: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: onlyWithKeys },
} as const;

/** For routes that never need a key. */
export const noKey: Record<string, string[]>[] = [];

/** Headers of errors with these statuses. */
const errorNotes: Readonly<Record<string, object>> = {
  '401': { description: 'A key is required, but the request has no valid one.' },
  '503': {
    description: 'The service is busy, or the answer took too long: try again.',
    headers: { 'Retry-After': { description: 'Seconds to wait.', schema: { type: 'integer', minimum: 0 } } },
  },
};

/** Hides the bar for another description's address, and sets the viewport, which the library's page lacks. */
const theme = {
  title: 'MagFace',
  css: [{ filename: 'theme.css', content: '.topbar { display: none }' }],
  js: [
    {
      filename: 'viewport.js',
      content: `const viewport = document.createElement('meta');
viewport.name = 'viewport';
viewport.content = 'width=device-width, initial-scale=1';
document.head.append(viewport);
`,
    },
  ],
};

/** Own files only. The library's policy would also send browsers on the local network to https, where nothing answers. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export async function addDocumentation(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'MagFace',
        version: packageVersion(),
        description: 'Faces, their embeddings and their quality, which is measured by the length of the embedding.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      components: { securitySchemes: keys },
      security: Object.keys(keys).map((name) => ({ [name]: [] })),
    },
    transform: (route) => {
      const described = jsonSchemaTransform(route);
      if (route.schema?.consumes !== imageBodies) return described;
      const { consumes: _, ...schema } = described.schema as { consumes?: unknown };
      return { ...described, schema: { ...schema, body: { content: bodies } } };
    },
    transformObject: (document) => withErrorNotes(withoutInputs(jsonSchemaTransformObject(document))),
  });
  await app.register(swaggerUi, { routePrefix: '/docs', staticCSP: true, transformStaticCSP: () => policy, theme });
  app.get('/openapi.json', { schema: { hide: true }, logLevel: 'warn' }, async () => app.swagger());
}

/** Removes the input variant of each named schema; only answers have names here. */
function withoutInputs(document: Described): Described {
  if (!('components' in document)) return document;
  const schemas = Object.entries(document.components?.schemas ?? {}).filter(([name]) => !name.endsWith('Input'));
  return { ...document, components: { ...document.components, schemas: Object.fromEntries(schemas) } } as Described;
}

/** The plugin only knows bodies. */
function withErrorNotes(document: Described): Described {
  for (const path of Object.values(document.paths ?? {}))
    for (const { responses } of Object.values(path as Record<string, { readonly responses?: Responses }>))
      for (const [status, note] of Object.entries(errorNotes)) {
        const response = responses?.[status];
        if (response?.content?.['application/json']?.schema?.$ref?.endsWith('/Error')) Object.assign(response, note);
      }
  return document;
}

type Responses = Record<
  string,
  { readonly content?: Record<string, { readonly schema?: { readonly $ref?: string } }> }
>;
type Described = ReturnType<typeof jsonSchemaTransformObject>;

function packageVersion(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string }).version;
}
