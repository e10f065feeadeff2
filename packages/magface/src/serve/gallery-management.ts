/** The people of a gallery over HTTP: list, show, check, correct and forget them. */
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { ConfigError, ServiceError } from '../errors.ts';
import { checkGallery } from '../gallery/check-gallery.ts';
import { exported, unknownPerson } from '../gallery/gallery-file.ts';
import type { StoredPerson } from '../gallery/gallery-types.ts';
import { printedQuality } from '../quality.ts';
import type { GalleryParts } from './gallery-parts.ts';
import * as gallerySchema from './gallery-schema.ts';
import * as schema from './schema.ts';

type PersonParams = z.ZodType<{ readonly id: string }>;
type App = ReturnType<typeof typed>;

const typed = (app: FastifyInstance) => app.withTypeProvider<ZodTypeProvider>();

/** @param person - schema of a name in an address */
export function addManagement(app: FastifyInstance, parts: GalleryParts, person: PersonParams): void {
  addShowing(typed(app), parts, person);
  addForgetting(typed(app), parts, person);
  addMoving(typed(app), parts, person);
}

function addShowing(app: App, { inference, gallery }: GalleryParts, person: PersonParams): void {
  app.route({
    method: 'GET',
    url: '/v1/people',
    schema: {
      operationId: 'listPeople',
      summary: 'List the people of the gallery by name',
      tags: ['people'],
      querystring: gallerySchema.peopleQuery,
      response: { 200: gallerySchema.peopleReply, ...schema.errors },
    },
    handler: async ({ query: { limit, after } }) => {
      const all = await gallery.list();
      const from = after === undefined ? 0 : all.findIndex((one) => one.person > after);
      const people = from < 0 ? [] : all.slice(from, from + limit);
      return { people: people.map((one) => ({ ...one, quality: printedQuality(one.quality) })), total: all.length };
    },
  });
  app.route({
    method: 'GET',
    url: '/v1/people/:id',
    schema: {
      operationId: 'showPerson',
      summary: 'Show what is stored of a person',
      tags: ['people'],
      params: person,
      querystring: gallerySchema.personQuery,
      response: { 200: gallerySchema.personReply, ...schema.errors },
    },
    handler: async ({ params: { id }, query: { embedding: wanted } }) => {
      const stored = await gallery.read(id);
      if (stored === undefined) throw unknownPerson(id);
      const faces = exported(stored).faces.map(({ embedding, ...face }) => ({
        ...face,
        quality: printedQuality(face.quality),
        ...(wanted ? { embedding } : {}),
      }));
      return { person: stored.person, consent: stored.consent, faces };
    },
  });
  app.route({
    method: 'GET',
    url: '/v1/check',
    schema: {
      operationId: 'checkGallery',
      summary: 'Find people enrolled twice, confusing faces, and people with one poor face',
      description: 'Compares every face with everybody: seconds for thousands of people.',
      tags: ['people'],
      response: { 200: gallerySchema.checkReply, ...schema.errors },
    },
    handler: async () => {
      const people: StoredPerson[] = [];
      for await (const one of gallery.everybody()) people.push(one);
      const { twins, confusing, poor, ...counts } = await checkGallery(
        people,
        inference.models.recogniser.contract.thresholds,
      );
      return {
        ...counts,
        twins: twins.map(({ people: [a, b], similarity }) => ({ people: [a, b] as [string, string], similarity })),
        confusing: confusing.map((one) => ({ ...one, quality: printedQuality(one.quality) })),
        poor: poor.map((one) => ({ ...one, quality: printedQuality(one.quality)! })),
      };
    },
  });
}

function addForgetting(app: App, { gallery }: GalleryParts, person: PersonParams): void {
  app.route({
    method: 'DELETE',
    url: '/v1/people/:id',
    schema: {
      operationId: 'removePerson',
      summary: 'Delete a person and all faces',
      tags: ['people'],
      params: person,
      response: { 200: gallerySchema.removalReply, ...schema.errors },
    },
    handler: async ({ params: { id } }) => {
      const removed = await gallery.remove(id);
      if (removed > 0) return { person: id, removed };
      throw unknownPerson(id);
    },
  });
  app.route({
    method: 'DELETE',
    url: '/v1/people/:id/faces/:face',
    schema: {
      operationId: 'removeFace',
      summary: 'Delete one face of a person',
      description: 'With the last face the person is deleted too.',
      tags: ['people'],
      params: z.intersection(person, z.object({ face: z.coerce.number().int().min(1).describe('Its number.') })),
      response: { 200: gallerySchema.removalReply, ...schema.errors },
    },
    handler: async ({ params: { id, face } }) => {
      if (await gallery.removeFace(id, face)) return { person: id, removed: 1 };
      throw new ServiceError('not_found', {
        expected: `face ${face} of ${id} in the gallery`,
        problem: 'there is none',
        remedy: `GET /v1/people/${encodeURIComponent(id)} lists them`,
      });
    },
  });
}

function addMoving(app: App, { gallery }: GalleryParts, person: PersonParams): void {
  app.route({
    method: 'POST',
    url: '/v1/people/:id/rename',
    schema: {
      operationId: 'renamePerson',
      summary: 'Give a person another name',
      tags: ['people'],
      params: person,
      querystring: gallerySchema.renameQuery,
      response: { 200: gallerySchema.moveReply, ...schema.errors },
    },
    handler: ({ params: { id }, query: { to } }) => moved(id, to, () => gallery.rename(id, to)),
  });
  app.route({
    method: 'POST',
    url: '/v1/people/:id/merge',
    schema: {
      operationId: 'mergePeople',
      summary: 'Give all faces of a person to another',
      tags: ['people'],
      params: person,
      querystring: gallerySchema.mergeQuery,
      response: { 200: gallerySchema.moveReply, ...schema.errors },
    },
    handler: ({ params: { id }, query: { into } }) => moved(id, into, () => gallery.merge(id, into)),
  });
}

async function moved(from: string, to: string, move: () => Promise<number>): Promise<gallerySchema.MoveReply> {
  const faces = await move().catch((cause: unknown) => {
    throw cause instanceof ConfigError ? new ServiceError('wrong_request', cause, { cause }) : cause;
  });
  if (faces > 0) return { person: to, moved: faces };
  throw unknownPerson(from);
}
