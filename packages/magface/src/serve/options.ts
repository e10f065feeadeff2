/** Options of the service, with defaults; the command's flags have the same names. */
import { z } from 'zod';

export interface ServeOptions {
  /** @default '127.0.0.1': only this machine */
  readonly host: string;
  /** 0 for any free port. @default 8112 */
  readonly port: number;
  /** Maximum images waiting; further ones get 503. @default 64 */
  readonly queue: number;
  /** Images that share a batch. @default 16 */
  readonly batch: number;
  /** Images in one request. @default 16 */
  readonly maxImages: number;
  /** Bytes of one image. @default 16 MiB */
  readonly maxBytes: number;
  /** Pixels of one image, decoded. @default 50e6 */
  readonly maxPixels: number;
  /** Faces returned per image, the largest. @default 100 */
  readonly maxFaces: number;
  /** Bytes of all requests being received at once; further ones get 503. @default 512 MiB */
  readonly maxBytesInFlight: number;
  /** Seconds for a request, from its first byte to its answer. @default 30 */
  readonly timeout: number;
  /** Who may use /v1 and /metrics. @default everybody */
  readonly apiKeys: readonly string[];
  /** Hosts from which images may be downloaded by https. @default none: addresses are rejected */
  readonly urlHosts: readonly string[];
}

const mebibyte = 2 ** 20;

const fields = z.strictObject({
  host: z.string().min(1).default('127.0.0.1'),
  port: z.int().min(0).max(65535).default(8112),
  queue: z.int().positive().default(64),
  batch: z.int().positive().default(16),
  maxImages: z.int().positive().default(16),
  maxBytes: z
    .int()
    .positive()
    .default(16 * mebibyte),
  maxPixels: z.int().positive().default(50e6),
  maxFaces: z.int().positive().default(100),
  maxBytesInFlight: z
    .int()
    .positive()
    .default(512 * mebibyte),
  timeout: z.number().positive().max(3600).default(30),
  apiKeys: z.array(z.string().min(16, 'an API key must have at least 16 letters')).readonly().default([]),
  urlHosts: z.array(z.string().min(1)).readonly().default([]),
});

/** A request is queued as a whole, so it must fit into the queue. */
export const serveOptions: z.ZodType<ServeOptions> = fields.refine(({ queue, maxImages }) => maxImages <= queue, {
  path: ['queue'],
  error: ({ input }) => `at least --max-images, ${(input as ServeOptions).maxImages},`,
});
