/** People by their faces over HTTP: enrol and search. Available only if the service has a gallery. */
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { sentence } from '../fault.ts';
import { expectConsistent } from '../gallery/enrolment-doubt.ts';
import { enrollable } from '../gallery/enrolment-gate.ts';
import { identify } from '../gallery/identify.ts';
import type { OpenSetThreshold } from '../gallery/open-set.ts';
import { longestName, nameFault } from '../gallery/person-name.ts';
import { printedQuality } from '../quality.ts';
import { deadline } from './deadline.ts';
import { thresholdOf } from './decision-rate.ts';
import { addManagement } from './gallery-management.ts';
import type { GalleryParts } from './gallery-parts.ts';
import * as gallerySchema from './gallery-schema.ts';
import { facesOf, largestFaces } from './largest-faces.ts';
import { openSetRule } from './open-set-rule.ts';
import { imageBodies } from './openapi.ts';
import type { ServeOptions } from './options.ts';
import * as schema from './schema.ts';
import { readUploads } from './uploads.ts';

export function addGalleryRoutes(app: FastifyInstance, options: ServeOptions, parts: GalleryParts): void {
  addEnrolment(app, options, parts);
  addManagement(app, parts, person);
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
      const params = { expected: 'a name for the person', problem: fault, remedy: 'choose another' };
      issues.push({ code: 'custom', input: value, message: sentence(params), params });
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
        'Each image must show one face of sufficient quality that fits the name, otherwise nothing is added. When the response arrives, the faces are stored permanently.',
      tags: ['people'],
      consumes: imageBodies,
      params: person,
      querystring: gallerySchema.enrolmentQuery,
      response: { 200: gallerySchema.enrolmentReply, ...schema.errors },
    },
    handler: async (request, reply) => {
      const signal = deadline(reply, options.timeout);
      const { aligned, minQuality, largest, acceptDoubtful, consent, retainDays } = request.query;
      const { id } = request.params;
      const images = await readUploads(request, { ...options, signal });
      const maxFaces = largest ? 1 : countedFaces;
      const all = await facesOf(images, inference, { signal, aligned, maxFaces });
      const { calibration } = inference.models.recogniser.contract;
      const gate = { minQuality, calibration, largest, flags: { minQuality: 'minQuality', largest: '?largest=true' } };
      const found = all.map((faces, at) => enrollable(faces, { ...gate, image: images[at]!.name }));
      const { thresholds } = inference.models.recogniser.contract;
      const doubts = { person: id, thresholds: acceptDoubtful ? undefined : thresholds, flag: '?acceptDoubtful=true' };
      for (const [at, { embedding }] of found.entries())
        await expectConsistent(gallery, { ...doubts, embedding, image: images[at]!.name });
      const expires = retainDays === undefined ? undefined : new Date(Date.now() + retainDays * 24 * 60 * 60 * 1000);
      const faces: gallerySchema.EnrolmentReply['faces'] = [];
      let total = 0;
      for (const [at, { embedding, magnitude, quality = null }] of found.entries()) {
        const recorded = { image: images[at]!.name, consent, expires };
        const enrolled = await gallery.enrol(id, { embedding, quality }, recorded);
        faces.push({ face: enrolled.face, magnitude, quality: printedQuality(quality), known: enrolled.known });
        total = enrolled.faces;
      }
      return { person: id, faces, total };
    },
  });
}

function addSearch(app: FastifyInstance, options: ServeOptions, { inference, gallery }: GalleryParts): void {
  const { thresholds } = inference.models.recogniser.contract;
  const openSetAt = openSetRule(gallery, thresholds);
  app.withTypeProvider<ZodTypeProvider>().route({
    method: 'POST',
    url: '/v1/search',
    schema: {
      operationId: 'searchPeople',
      summary: 'Find the people whom a face resembles most',
      description:
        'The largest face of one image; `same` is the decision at the requested false match rate, `named` the one at `fpir`.',
      tags: ['people'],
      consumes: imageBodies,
      querystring: gallerySchema.searchQuery,
      response: { 200: gallerySchema.searchReply, ...schema.errors },
    },
    handler: async (request, reply) => {
      const { aligned, limit, fmr, fpir } = request.query;
      thresholdOf(inference, fmr); // an unsupported rate fails before any work
      const signal = deadline(reply, options.timeout);
      const images = await readUploads(request, { ...options, signal, expected: 1 });
      const [face] = await largestFaces(images, inference, { signal, aligned });
      const openSet = fpir === undefined ? undefined : await openSetAt(fpir);
      const { matches, ...rule } = await identify(gallery, face!.embedding, { thresholds, limit, fmr, openSet });
      return { ...rule, openSet: openSetReply(rule.openSet), fmrAsked: fmr, matches: [...matches] };
    },
  });
}

function openSetReply(rule: OpenSetThreshold | null): gallerySchema.SearchReply['openSet'] {
  return rule && { ...rule, interval: rule.interval && [rule.interval[0], rule.interval[1]] };
}
