/** People by their faces over HTTP: enrol, remove, search. Available only if the service has a gallery. */
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { ServiceError } from '../errors.ts';
import { enrollable } from '../gallery/enrolment-gate.ts';
import type { SearchableGallery } from '../gallery/gallery.ts';
import { identify } from '../gallery/identify.ts';
import { longestName, nameFault } from '../gallery/person-name.ts';
import { printedQuality } from '../quality.ts';
import { deadline } from './deadline.ts';
import { thresholdOf } from './decision-rate.ts';
import type { InferenceQueue } from './inference-queue.ts';
import { facesOf, largestFaces } from './largest-faces.ts';
import { imageBodies } from './openapi.ts';
import type { ServeOptions } from './options.ts';
import * as schema from './schema.ts';
import { readUploads } from './uploads.ts';

/** Dependencies of these routes. */
export interface GalleryParts {
  readonly inference: InferenceQueue;
  readonly gallery: SearchableGallery;
}

export function addGalleryRoutes(app: FastifyInstance, options: ServeOptions, parts: GalleryParts): void {
  addEnrolment(app, options, parts);
  addSearch(app, options, parts);
}

const person: z.ZodType<{ readonly id: string }> = z.object({
  id: z
    .string()
    .min(1)
    .max(longestName)
    .check(({ value, issues }) => {
      const fault = nameFault(value);
      if (fault === undefined) return;
      const message = `Expected a name for the person but ${fault}: choose another.`;
      issues.push({ code: 'custom', input: value, message });
    })
    .describe('Any name for a person.'),
});

/** Maximum count of faces if one is expected. */
const countedFaces = 20;

function addEnrolment(app: FastifyInstance, options: ServeOptions, { inference, gallery }: GalleryParts): void {
  const typed = app.withTypeProvider<ZodTypeProvider>();
  typed.route({
    method: 'POST',
    url: '/v1/people/:id/faces',
    schema: {
      operationId: 'addFaces',
      summary: 'Add faces to a person',
      description:
        'Each image must show one face of sufficient quality, otherwise nothing is added. When the response arrives, the faces are stored permanently.',
      tags: ['people'],
      consumes: imageBodies,
      params: person,
      querystring: schema.enrolmentQuery,
      response: { 200: schema.enrolmentReply, ...schema.errors },
    },
    handler: async (request, reply) => {
      const signal = deadline(reply, options.timeout);
      const { aligned, minQuality, largest } = request.query;
      const images = await readUploads(request, { ...options, signal });
      const maxFaces = largest ? 1 : countedFaces;
      const all = await facesOf(images, inference, { signal, aligned, maxFaces });
      const gate = { minQuality, largest, flags: { minQuality: 'minQuality', largest: '?largest=true' } };
      const found = all.map((faces, at) => enrollable(faces, { ...gate, image: images[at]!.name }));
      const faces: schema.EnrolmentReply['faces'] = [];
      let total = 0;
      for (const { embedding, magnitude, quality = null } of found) {
        const enrolled = await gallery.enrol(request.params.id, { embedding, quality });
        faces.push({ face: enrolled.face, magnitude, quality: printedQuality(quality), known: enrolled.known });
        total = enrolled.faces;
      }
      return { person: request.params.id, faces, total };
    },
  });
  typed.route({
    method: 'DELETE',
    url: '/v1/people/:id',
    schema: {
      operationId: 'removePerson',
      summary: 'Delete a person and all faces',
      tags: ['people'],
      params: person,
      response: { 200: schema.removalReply, ...schema.errors },
    },
    handler: async ({ params: { id } }) => {
      const removed = await gallery.remove(id);
      if (removed > 0) return { person: id, removed };
      throw new ServiceError('not_found', `Expected a person in the gallery but ${id} is not in it: check the name.`);
    },
  });
}

function addSearch(app: FastifyInstance, options: ServeOptions, { inference, gallery }: GalleryParts): void {
  app.withTypeProvider<ZodTypeProvider>().route({
    method: 'POST',
    url: '/v1/search',
    schema: {
      operationId: 'searchPeople',
      summary: 'Find the people whom a face resembles most',
      description: 'The largest face of one image; `same` is the decision at the requested false match rate.',
      tags: ['people'],
      consumes: imageBodies,
      querystring: schema.searchQuery,
      response: { 200: schema.searchReply, ...schema.errors },
    },
    handler: async (request, reply) => {
      const { aligned, limit, fmr } = request.query;
      thresholdOf(inference, fmr); // an unsupported rate fails before any work
      const signal = deadline(reply, options.timeout);
      const images = await readUploads(request, { ...options, signal, expected: 1 });
      const [face] = await largestFaces(images, inference, { signal, aligned });
      const { thresholds } = inference.models.recogniser.contract;
      const { matches, ...rule } = await identify(gallery, face!.embedding, { thresholds, limit, fmr });
      return { ...rule, fmrAsked: fmr, matches: [...matches] };
    },
  });
}
