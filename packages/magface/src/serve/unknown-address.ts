/** Answers requests without a route: names the allowed method, or what is missing. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ServiceError } from '../errors.ts';

/** Call before adding routes, so that it sees them all. @param people - whether there is a gallery */
export function addUnknownAddress(app: FastifyInstance, { people }: { readonly people: boolean }): void {
  const routes: { readonly methods: readonly string[]; readonly address: RegExp }[] = [];
  app.addHook('onRoute', ({ method, url }) => {
    if (url.includes('*')) return; // the page's files: any address
    const pattern = url.replaceAll(/[.]/g, '\\.').replaceAll(/:\w+/g, '[^/]+');
    routes.push({ methods: [method].flat(), address: new RegExp(`^${pattern}$`) });
  });
  app.setNotFoundHandler((request: FastifyRequest, reply: FastifyReply) => {
    const [path = ''] = request.url.split('?');
    const methods = routes.filter(({ address }) => address.test(path)).flatMap(({ methods }) => methods);
    if (methods.length > 0) {
      reply.header('Allow', methods.join(', '));
      const allowed = methods.filter((method) => method !== 'HEAD').join(' or ');
      throw new ServiceError('wrong_method', {
        expected: `${allowed} at ${path}`,
        received: request.method,
        remedy: 'see /docs',
      });
    }
    if (!people && /^\/v1\/(people|search|check)(\/|$)/.test(path)) {
      throw new ServiceError('not_found', {
        expected: 'a service with a gallery',
        problem: 'this one has none',
        remedy: 'start it with --gallery WHERE',
      });
    }
    throw new ServiceError('not_found', {
      expected: 'an address of this service',
      received: `${request.method} ${request.url.slice(0, 80)}`,
      remedy: 'see /docs',
    });
  });
}
