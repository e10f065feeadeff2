/**
 * Schemas of the wire format: they check requests, serialise answers and generate the OpenAPI file.
 * The compiler checks each schema against the type next to it.
 */

import { z } from 'zod';
import type { ErrorReply } from '../errors.ts';
import { printedQuality } from '../quality.ts';
import { reasonCodes } from '../reasons.ts';
import type { ServedFace } from './analyze-request.ts';

export interface FailureReply {
  readonly error: ErrorReply;
}

const failure: z.ZodType<ErrorReply> = z.object({
  code: z.string().describe('Stable, for programs.'),
  message: z.string().describe('A sentence for people, made of the fields below.'),
  subject: z.string().optional().describe('What the problem is about, such as the name of an image.'),
  expected: z.string().optional().describe('What was expected.'),
  received: z.string().optional().describe('The value that came instead.'),
  problem: z.string().optional().describe('What is wrong, if no value can be named.'),
  remedy: z.string().optional().describe('What to do.'),
});

const failureReply: z.ZodType<FailureReply> = z.object({ error: failure }).meta({ id: 'Error' });

type ErrorSchema = typeof failureReply;

/** Errors of every route that needs a key; two statuses are separate, since they have headers. */
export const errors: Readonly<Record<'401' | '4xx' | '503' | '5xx', ErrorSchema>> = {
  '401': failureReply,
  '4xx': failureReply,
  '503': failureReply,
  '5xx': failureReply,
};

/** A face on the wire: the same fields as the commands print. */
export interface FaceReply {
  readonly face: number;
  readonly box: { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
  readonly landmarks: (readonly [number, number])[];
  readonly detection: number;
  readonly magnitude: number;
  readonly quality: number | null;
  readonly reasons: { readonly code: string; readonly value: number }[];
  readonly estimates: { readonly code: string; readonly by?: number | undefined; readonly quality: number }[];
  readonly embedding?: number[] | undefined;
}

const face: z.ZodType<FaceReply> = z
  .object({
    face: z.int().describe('From 0, largest first.'),
    box: z.object({ x: z.number(), y: z.number(), width: z.number(), height: z.number() }).describe('In pixels.'),
    landmarks: z
      .array(z.tuple([z.number(), z.number()]))
      .describe('Left eye, right eye, nose, left and right corner of the mouth, as seen in the image.'),
    detection: z.number().describe('Confidence of the detector, 0 to 1.'),
    magnitude: z.number().describe('Length of the embedding: the quality in the model’s own scale.'),
    quality: z.number().nullable().describe('0 to 100 with one decimal; null if the model has no calibration.'),
    reasons: z
      .array(z.object({ code: z.enum(reasonCodes), value: z.number() }))
      .describe('Visible defects, worst first, each with its measured value in the rule’s unit.'),
    estimates: z
      .array(
        z.object({
          code: z.enum(reasonCodes),
          by: z.number().optional().describe('Degrees to turn, for `turned_away`.'),
          quality: z.number().describe('About, 0 to 100.'),
        }),
      )
      .describe('Estimates of the quality without one of these defects.'),
    embedding: z.array(z.number()).optional().describe('Not normalized; only on request.'),
  })
  .meta({ id: 'Face' });

/** One image's faces, or its error. */
export type ImageReply =
  | { readonly image: string; readonly width: number; readonly height: number; readonly faces: FaceReply[] }
  | ({ readonly image: string } & FailureReply);

export interface FacesReply {
  readonly model: { readonly name: string; readonly digest: string };
  readonly images: ImageReply[];
}

export const facesReply: z.ZodType<FacesReply> = z
  .object({
    model: z.object({ name: z.string(), digest: z.string().describe('SHA-256 of the file.') }),
    images: z.array(
      z.union([
        z.object({ image: z.string(), width: z.int(), height: z.int(), faces: z.array(face) }),
        z.object({ image: z.string(), error: failure }),
      ]),
    ),
  })
  .meta({ id: 'Faces' });

export interface FacesQuery {
  readonly aligned: boolean;
  readonly embedding: boolean;
  readonly minScore?: number | undefined;
  readonly minFace?: number | undefined;
}

/** A number in an address. JavaScript parses an empty text as 0; here it is invalid. */
export const numeric = <Schema extends z.ZodType>(schema: Schema): z.ZodPreprocess<Schema> =>
  z.preprocess((text) => (typeof text === 'string' && text.trim() === '' ? Number.NaN : text), schema);

/** A boolean in an address; the description gives the type `boolean`. */
export const flag: z.ZodType<boolean> = z.stringbool().default(false).meta({ type: 'boolean' });
export const aligned: z.ZodType<boolean> = flag.describe('The images are aligned faces of 112x112.');

export const facesQuery: z.ZodType<FacesQuery> = z.strictObject({
  aligned,
  embedding: flag.describe('Also return each face’s embedding.'),
  minScore: numeric(z.coerce.number().min(0).max(1)).optional().describe('Minimum confidence of a face.'),
  minFace: numeric(z.coerce.number().min(1))
    .optional()
    .describe('Side of the smallest face to find, in pixels; by default 1/25 of the image’s shorter side.'),
});

export interface AlignedQuery {
  readonly aligned: boolean;
}

export const alignedQuery: z.ZodType<AlignedQuery> = z.strictObject({ aligned });

export interface CompareQuery {
  readonly aligned: boolean;
  readonly fmr: number;
}

export const fmr: z.ZodType<number> = numeric(z.coerce.number().positive().lt(1))
  .default(0.001)
  .describe(
    'Maximum false match rate. The threshold is the one measured at this rate or at the next stricter one; a rate below all measured ones is rejected.',
  );

export const measuredRate: z.ZodType<number | null> = z
  .number()
  .nullable()
  .describe('Rate at which the threshold was measured, for one comparison; never above the requested rate.');
export const fmrAsked: z.ZodType<number> = z.number().describe('The requested rate.');

export const compareQuery: z.ZodType<CompareQuery> = z.strictObject({ aligned, fmr });

export interface CompareReply {
  readonly similarity: number;
  readonly threshold: number | null;
  readonly fmr: number | null;
  readonly fmrAsked: number;
  readonly same: boolean | null;
  readonly quality: [number | null, number | null];
  readonly likelihood: {
    readonly ratio: number;
    readonly interval: [number, number];
    readonly limited: boolean;
  } | null;
}

export const compareReply: z.ZodType<CompareReply> = z
  .object({
    similarity: z.number().describe('Cosine, -1 to 1.'),
    threshold: z.number().nullable(),
    fmr: measuredRate,
    fmrAsked,
    same: z.boolean().nullable().describe('Null if the model has no threshold.'),
    quality: z.tuple([z.number().nullable(), z.number().nullable()]),
    likelihood: z
      .object({
        ratio: z
          .number()
          .describe('How many times likelier this is if the faces show one person than if they show two.'),
        interval: z.tuple([z.number(), z.number()]).describe('95 %.'),
        limited: z.boolean().describe('Whether the ratio is the least or greatest that the reference faces can show.'),
      })
      .nullable()
      .describe('Null if the model’s record has no weights for it.'),
  })
  .meta({ id: 'Comparison' });

export interface ModelReply {
  readonly name: string;
  readonly id: string | null;
  readonly digest: string;
  readonly assumed: string[];
  readonly contract: { readonly kind: string };
}

export interface ModelsReply {
  readonly recogniser: ModelReply;
  readonly detector: ModelReply | null;
}

const model: z.ZodType<ModelReply> = z
  .object({
    name: z.string(),
    id: z.string().nullable().describe('Id in the registry; null for the user’s own file.'),
    digest: z.string(),
    assumed: z.array(z.string()).describe('Assumptions about what the file does not define.'),
    contract: z.looseObject({ kind: z.string() }).describe('The model’s record.'),
  })
  .meta({ id: 'Model' });

export const modelsReply: z.ZodType<ModelsReply> = z
  .object({ recogniser: model, detector: model.nullable().describe('Null if all images must be aligned.') })
  .meta({ id: 'Models' });

export interface HealthReply {
  readonly status: 'ok' | 'failed';
  readonly waiting: number;
}

export const healthReply: z.ZodType<HealthReply> = z
  .object({ status: z.enum(['ok', 'failed']), waiting: z.int().describe('Images in the queue.') })
  .meta({ id: 'Health' });

/** @param index - among the image's faces, the largest first */
export function faceReply(face: ServedFace, index: number, { embedding }: { readonly embedding: boolean }): FaceReply {
  const { box, landmarks, detection, magnitude, quality, reasons, estimates } = face;
  return {
    face: index,
    box,
    landmarks: [...landmarks],
    detection,
    magnitude,
    quality: printedQuality(quality),
    reasons: [...reasons],
    estimates: [...estimates],
    ...(embedding ? { embedding: [...face.embedding] } : {}),
  };
}
