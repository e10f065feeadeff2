/** Options of the service, with defaults; the command's flags have the same names. */
import { z } from 'zod';
import { type ConfigOf, schemasOf } from '../settings/setting.ts';

/** Settings of the service that are flags too. */
export const serveSettings = {
  host: {
    group: 'Listening:',
    takes: 'text',
    value: '<address>',
    says: 'address to listen on; the default is only this machine',
    default: '127.0.0.1',
  },
  port: {
    group: 'Listening:',
    takes: 'whole',
    within: [0, 65535],
    value: '<n>',
    says: 'port, or 0 for any free one',
    default: 8112,
  },
  timeout: {
    group: 'Limits:',
    takes: 'positive',
    within: [0.001, 3600],
    value: '<seconds>',
    says: 'time limit of a request, from its first byte to its answer',
    default: 30,
  },
  queue: {
    group: 'Limits:',
    takes: 'count',
    value: '<n>',
    says: 'images that may wait before the service answers 503',
    default: 64,
  },
  batch: {
    group: 'Limits:',
    takes: 'count',
    value: '<n>',
    says: 'aligned faces per run of the network',
    default: 16,
  },
  maxImages: { group: 'Limits:', takes: 'count', value: '<n>', says: 'images per request', default: 16 },
  maxBytes: { group: 'Limits:', takes: 'count', value: '<n>', says: 'bytes per image', default: 16_777_216 },
  maxPixels: { group: 'Limits:', takes: 'count', value: '<n>', says: 'pixels per image, decoded', default: 50_000_000 },
  maxFaces: { group: 'Limits:', takes: 'count', value: '<n>', says: 'faces per image, the largest', default: 100 },
} as const;

export interface ServeOptions extends ConfigOf<typeof serveSettings> {
  /** Bytes of all requests being received at once; further ones get 503. @default 512 MiB */
  readonly maxBytesInFlight: number;
  /** Who may use /v1 and /metrics. @default everybody */
  readonly apiKeys: readonly string[];
  /** Hosts from which images may be downloaded by https. @default none: addresses are rejected */
  readonly urlHosts: readonly string[];
}

const fields = z.strictObject({
  ...schemasOf(serveSettings),
  maxBytesInFlight: z
    .int()
    .positive()
    .default(512 * 2 ** 20),
  apiKeys: z.array(z.string().min(16, 'an API key must have at least 16 letters')).readonly().default([]),
  urlHosts: z.array(z.string().min(1)).readonly().default([]),
});

/** A request is queued as a whole, so it must fit into the queue. */
export const serveOptions: z.ZodType<ServeOptions> = fields.refine(({ queue, maxImages }) => maxImages <= queue, {
  path: ['queue'],
  error: ({ input }) => `at least --max-images, ${(input as ServeOptions).maxImages},`,
});
