/** The description of the service for machines (/openapi.json) and people (/docs), made from the routes' own schemas. */
import { readFileSync } from 'node:fs';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';

/** How images may be sent. */
export const imageBodies: string[] = ['multipart/form-data', 'image/*', 'application/json'];

/** Bodies are read as streams, so that the routes have no schema of them: they are described here. */
const bodies = {
  'multipart/form-data': {
    schema: {
      type: 'object',
      required: ['image'],
      properties: { image: { type: 'array', items: { type: 'string', format: 'binary' } } },
    },
  },
  'image/*': { schema: { type: 'string', format: 'binary' } },
  'application/json': {
    schema: {
      type: 'object',
      description: 'Only where the service was started with the hosts of these addresses.',
      required: ['urls'],
      properties: { urls: { type: 'array', items: { type: 'string', format: 'uri' } } },
    },
  },
} as const;

/** Without the bar that asks for another description's address; as wide as a phone, which the library's page does not say. */
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

/** Its own files alone. The library's policy would also send a browser on the local network to https, where nothing answers. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export async function addDocumentation(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'MagFace',
        version: packageVersion(),
        description: 'Faces, their embeddings, and how good each face is: the length of its embedding.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      components: { securitySchemes: { key: { type: 'http', scheme: 'bearer' } } },
      security: [{ key: [] }],
    },
    transform: (route) => {
      const described = jsonSchemaTransform(route);
      if (route.schema?.consumes !== imageBodies) return described;
      const { consumes: _, ...schema } = described.schema as { consumes?: unknown };
      return { ...described, schema: { ...schema, body: { content: bodies } } };
    },
    transformObject: (document) => withoutInputs(jsonSchemaTransformObject(document)),
  });
  await app.register(swaggerUi, { routePrefix: '/docs', staticCSP: true, transformStaticCSP: () => policy, theme });
  app.get('/openapi.json', { schema: { hide: true }, logLevel: 'warn' }, async () => app.swagger());
}

/** Each named schema comes as what is sent and as what is answered; here only answers have names. */
function withoutInputs(document: Described): Described {
  if (!('components' in document)) return document;
  const schemas = Object.entries(document.components?.schemas ?? {}).filter(([name]) => !name.endsWith('Input'));
  return { ...document, components: { ...document.components, schemas: Object.fromEntries(schemas) } } as Described;
}

type Described = ReturnType<typeof jsonSchemaTransformObject>;

function packageVersion(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string }).version;
}
