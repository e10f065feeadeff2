/** The routes, each with the schemas of its request and answer. */

import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { asImageError, errorReply, ImageError, MagfaceError } from '../errors.ts';
import { likelihoodRatio } from '../likelihood-ratio.ts';
import { printedQuality } from '../quality.ts';
import { compare } from '../similarity.ts';
import type { AnalyzeRequest, ServedFace, ServedImage } from './analyze-request.ts';
import { deadline } from './deadline.ts';
import { thresholdOf } from './decision-rate.ts';
import { addGalleryRoutes } from './gallery-routes.ts';
import type { InferenceQueue } from './inference-queue.ts';
import { isAligned, largestFaces } from './largest-faces.ts';
import { imageBodies, noKey } from './openapi.ts';
import type { ServeOptions } from './options.ts';
import * as schema from './schema.ts';
import type { ServerParts } from './server-parts.ts';
import { readUploads, type UploadedImage } from './uploads.ts';

type App = FastifyInstance;

export function addRoutes(app: App, options: ServeOptions, parts: ServerParts): void {
  addFaces(app, options, parts);
  addCompare(app, options, parts);
  addInformation(app, parts);
  const { inference, gallery } = parts;
  if (gallery !== undefined) addGalleryRoutes(app, options, { inference, gallery });
}

function addFaces(app: App, options: ServeOptions, { inference, metrics }: ServerParts): void {
  app.withTypeProvider<ZodTypeProvider>().route({
    method: 'POST',
    url: '/v1/faces',
    schema: {
      operationId: 'findFaces',
      summary: 'Find, align and score the faces of images',
      description: 'One image that cannot be used is an error; among several it is a result with `error`.',
      tags: ['faces'],
      consumes: imageBodies,
      querystring: schema.facesQuery,
      response: { 200: schema.facesReply, ...schema.errors },
    },
    handler: async (request, reply) => {
      const signal = deadline(reply, options.timeout);
      const { aligned, minScore, minFace, embedding } = request.query;
      const images = await readUploads(request, { ...options, signal });
      const asked = { aligned: isAligned(aligned, inference), minScore, minFace, maxFaces: options.maxFaces };
      inference.expectRoom(images.length);
      const results = await Promise.all(
        images.map((image) => analyzeOne(image, { inference, signal, asked }).catch(asImageError)),
      );
      const [first] = results;
      if (results.length === 1 && first instanceof ImageError) throw first;
      const replies = images.map(({ name }, at) => imageReply(name, results[at]!, { embedding }));
      metrics.faces(replies.reduce((sum, reply) => sum + ('faces' in reply ? reply.faces.length : 0), 0));
      const { name, digest } = inference.models.recogniser;
      return { model: { name, digest }, images: replies };
    },
  });
}

function addCompare(app: App, options: ServeOptions, { inference }: ServerParts): void {
  app.withTypeProvider<ZodTypeProvider>().route({
    method: 'POST',
    url: '/v1/compare',
    schema: {
      operationId: 'compareFaces',
      summary: 'Decide whether two images show the same person',
      description: 'The largest face of each image is compared.',
      tags: ['faces'],
      consumes: imageBodies,
      querystring: schema.compareQuery,
      response: { 200: schema.compareReply, ...schema.errors },
    },
    handler: async (request, reply) => {
      const signal = deadline(reply, options.timeout);
      const { aligned, fmr } = request.query;
      const taken = thresholdOf(inference, fmr); // an unsupported rate fails before any work
      const images = await readUploads(request, { ...options, signal, expected: 2 });
      const [a, b] = (await largestFaces(images, inference, { signal, aligned })) as [ServedFace, ServedFace];
      const similarity = compare(a.embedding, b.embedding);
      const { likelihood: weights } = inference.models.recogniser.contract;
      const likelihood = weights && likelihoodRatio(similarity, [a.magnitude, b.magnitude], weights);
      return {
        similarity,
        threshold: taken?.threshold ?? null,
        fmr: taken?.fmr ?? null,
        fmrAsked: fmr,
        same: taken === undefined ? null : similarity >= taken.threshold,
        quality: [printedQuality(a.quality), printedQuality(b.quality)] as [number | null, number | null],
        likelihood: likelihood === undefined ? null : { ...likelihood, interval: pairOf(likelihood.interval) },
      };
    },
  });
}

function addInformation(app: App, { inference, metrics }: ServerParts): void {
  const typed = app.withTypeProvider<ZodTypeProvider>();
  const { recogniser, detector } = inference.models;
  typed.get(
    '/v1/models',
    {
      schema: {
        operationId: 'getModels',
        summary: 'Models of the service',
        tags: ['service'],
        response: { 200: schema.modelsReply, ...schema.errors },
      },
    },
    async () => ({
      recogniser: modelReply(recogniser),
      detector: detector === undefined ? null : modelReply(detector),
    }),
  );
  let failed = false;
  void inference.ended.then(() => {
    failed = true;
  });
  typed.get(
    '/healthz',
    {
      logLevel: 'warn',
      schema: {
        operationId: 'getHealth',
        summary: 'Whether inference is ready',
        tags: ['service'],
        security: noKey,
        response: { 200: schema.healthReply, 503: schema.healthReply },
      },
    },
    async (_request, reply) => {
      const health = { status: failed ? 'failed' : 'ok', waiting: inference.waiting } as const;
      return reply.status(failed ? 503 : 200).send(health);
    },
  );
  typed.get(
    '/metrics',
    {
      logLevel: 'warn',
      schema: {
        operationId: 'getMetrics',
        summary: 'Counters for Prometheus',
        tags: ['service'],
        response: { 200: { content: { 'text/plain': { schema: z.string() } } }, ...schema.errors },
      },
    },
    async (_request, reply) => {
      reply.type(metrics.registry.contentType);
      return metrics.registry.metrics();
    },
  );
}

interface Asking {
  readonly inference: InferenceQueue;
  readonly signal: AbortSignal;
  readonly asked: AnalyzeRequest;
}

function analyzeOne({ name, bytes }: UploadedImage, { inference, signal, asked }: Asking): Promise<ServedImage> {
  return inference.analyze(bytes, asked, { name, signal });
}

function imageReply(
  image: string,
  result: ServedImage | MagfaceError,
  options: { readonly embedding: boolean },
): schema.ImageReply {
  if (result instanceof MagfaceError) return { image, error: errorReply(result) };
  const { width, height } = result.image;
  return { image, width, height, faces: result.faces.map((face, at) => schema.faceReply(face, at, options)) };
}

function modelReply(told: NonNullable<InferenceQueue['models']['recogniser' | 'detector']>): schema.ModelReply {
  const { name, id = null, digest, assumed, contract } = told;
  return { name, id, digest, assumed: [...assumed], contract };
}

/** Answers have mutable tuples. */
const pairOf = ([low, high]: readonly [number, number]): [number, number] => [low, high];
