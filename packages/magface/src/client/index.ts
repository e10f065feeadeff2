/** Client of the service, for browsers too: paths, parameters and answers have the types of its description. */
import createFetchClient, { type Client, type Middleware } from 'openapi-fetch';
import type { components, paths } from './schema.gen.ts';

/** Any answer of the service by its name in the description: `Answer<'Faces'>`. */
export type Answer<Name extends keyof components['schemas']> = components['schemas'][Name];

export interface ClientOptions {
  /** Like `http://127.0.0.1:8112`. */
  readonly address: string;
  /** If the service needs one. @default none */
  readonly key?: string | undefined;
}

/**
 * @returns a client whose answers are `{data}` or `{error}`; only network failures throw:
 *
 *     const client = createClient({ address: 'http://127.0.0.1:8112' });
 *     const { data, error } = await client.POST('/v1/faces', { body: { image: [photo] } });
 */
export function createClient({ address, key }: ClientOptions): Client<paths> {
  const client = createFetchClient<paths>({
    baseUrl: address,
    bodySerializer: bodyOf,
    headers: {
      'Content-Type': null, // each body sets its own; the library would send JSON
      ...(key === undefined ? {} : { Authorization: `Bearer ${key}` }),
    },
  });
  client.use(wordsAsData);
  return client;
}

/** Sends one image as is, several as a form, where a File keeps its name, and all else as JSON. */
function bodyOf(body: unknown): FormData | Blob {
  if (body instanceof FormData) return body;
  if (body instanceof Blob || ArrayBuffer.isView(body)) return typed(body);
  if (typeof body === 'object' && body !== null && 'image' in body && Array.isArray(body.image)) {
    const form = new FormData();
    for (const image of body.image) form.append('image', typed(image));
    return form;
  }
  return new Blob([JSON.stringify(body)], { type: 'application/json' });
}

/** @returns the image with a type that the service accepts, even if its kind is unknown */
function typed(image: Blob | ArrayBufferView): Blob {
  if (image instanceof Blob && image.type !== '') return image;
  const parts = [image as Blob | ArrayBufferView<ArrayBuffer>];
  const type = 'application/octet-stream';
  return image instanceof File ? new File(parts, image.name, { type }) : new Blob(parts, { type });
}

/** The library parses all answers as JSON; text answers (/metrics) are returned unchanged. */
const wordsAsData: Middleware = {
  onResponse: async ({ response, options }) => {
    const type = response.headers.get('Content-Type') ?? '';
    if (!response.ok || options.parseAs !== 'json' || /\bjson\b/.test(type)) return undefined;
    const text = await response.text();
    const { status, statusText, headers } = response;
    return new Response(text && JSON.stringify(text), { status, statusText, headers });
  },
};
