/** The service from TypeScript, in browsers too: addresses, parameters and answers are typed by its own description. */
import createFetchClient, { type Client } from 'openapi-fetch';
import type { components, paths } from './schema.gen.ts';

/** Any answer of the service by its name in the description: `Answer<'Faces'>`. */
export type Answer<Name extends keyof components['schemas']> = components['schemas'][Name];

export interface ClientOptions {
  /** Such as `http://127.0.0.1:8112`. */
  readonly address: string;
  /** Where the service asks for one. @default none */
  readonly key?: string | undefined;
}

/**
 * @returns a client whose answers are `{data}` or `{error}`; nothing is thrown but for the network's own failures:
 *
 *     const client = createClient({ address: 'http://127.0.0.1:8112' });
 *     const { data, error } = await client.POST('/v1/faces', { body: { image: [photo] } });
 */
export function createClient({ address, key }: ClientOptions): Client<paths> {
  return createFetchClient<paths>({
    baseUrl: address,
    bodySerializer: (body: unknown) => formOf(body) ?? JSON.stringify(body),
    ...(key === undefined ? {} : { headers: { Authorization: `Bearer ${key}` } }),
  });
}

/** Images go as a form: a File keeps its name. */
function formOf(body: unknown): FormData | undefined {
  if (typeof body !== 'object' || body === null || !('image' in body) || !Array.isArray(body.image)) return undefined;
  const form = new FormData();
  for (const image of body.image) form.append('image', image);
  return form;
}
