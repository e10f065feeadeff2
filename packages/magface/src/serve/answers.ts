/** Maps errors to statuses and bodies. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { type ImageErrorCode, MagfaceError, type ServiceErrorCode } from '../errors.ts';
import { describeIssue } from '../settings/schema-issue.ts';
import type { ServeOptions } from './options.ts';

const statuses: Readonly<Record<ImageErrorCode | ServiceErrorCode, number>> = {
  image_missing: 422,
  image_unreadable: 415,
  image_too_large: 413,
  image_wrong_size: 422,
  no_face: 422,
  several_faces: 422,
  quality_too_low: 422,
  already_enrolled: 409,
  differs_from_person: 422,
  person_unknown: 422,
  wrong_request: 400,
  unauthorized: 401,
  not_found: 404,
  wrong_method: 405,
  request_too_large: 413,
  wrong_media_type: 415,
  wrong_model: 409,
  busy: 503,
  timed_out: 503,
  engine_failed: 500,
};

type Limits = Pick<ServeOptions, 'maxBytes' | 'maxImages'>;
type Words = readonly [code: ServiceErrorCode, message: string];

/** Our messages for errors of Fastify and plugins. */
function wordsOf({ maxBytes, maxImages }: Limits): Readonly<Record<string, Words>> {
  const tooLarge = `Expected images of at most ${maxBytes} bytes: scale this one down, or raise --max-bytes.`;
  const tooMany = `Expected at most ${maxImages} images in one request but the form has more parts: split it, or raise --max-images.`;
  return {
    FST_REQ_FILE_TOO_LARGE: ['request_too_large', tooLarge],
    FST_ERR_CTP_BODY_TOO_LARGE: ['request_too_large', tooLarge],
    FST_FILES_LIMIT: ['request_too_large', tooMany],
    FST_PARTS_LIMIT: ['request_too_large', tooMany],
    FST_FIELDS_LIMIT: [
      'wrong_request',
      'Expected only images in the form but it has text fields: put options into the address.',
    ],
    FST_ERR_CTP_INVALID_MEDIA_TYPE: [
      'wrong_media_type',
      'Expected a form (multipart/form-data), an image/* or application/octet-stream body, or JSON but received another type: set Content-Type.',
    ],
  };
}

/** Body of all errors. */
export function errorBody(code: string, message: string): { error: { code: string; message: string } } {
  return { error: { code, message } };
}

type ErrorHandler = (error: unknown, request: FastifyRequest, reply: FastifyReply) => FastifyReply;

/**
 * @returns Fastify's error handler: defects are logged, and clients do not see their messages.
 *   A failure because the client disconnected is not a defect.
 */
export function errorHandler(limits: Limits): ErrorHandler {
  const known = wordsOf(limits);
  return (error, request, reply) => {
    const [code, message, status] = describe(error, request, known);
    if (status >= 500 && status !== 503 && !request.socket.destroyed) request.log.error({ err: error }, code);
    const retryAfter = error instanceof MagfaceError && 'retryAfter' in error ? error.retryAfter : undefined;
    if (status === 503) reply.header('Retry-After', String(retryAfter ?? 1));
    if (status === 401) reply.header('WWW-Authenticate', 'Bearer');
    return reply.status(status).send(errorBody(code, message));
  };
}

function describe(
  error: unknown,
  request: FastifyRequest,
  known: Readonly<Record<string, Words>>,
): readonly [code: string, message: string, status: number] {
  if (error instanceof MagfaceError) return [error.code, error.message, statusOf(error.code)];
  const {
    code = '',
    statusCode = 500,
    message = '',
  } = error as { code?: string; statusCode?: number; message?: string };
  const words = known[code];
  if (words !== undefined) return [...words, statusOf(words[0])];
  if (code === 'FST_ERR_VALIDATION') return ['wrong_request', wrongAddress(error as Invalid, request), 400];
  if (statusCode < 500)
    return [
      'wrong_request',
      `Expected a complete and well-formed request but received another: ${message}.`,
      statusCode,
    ];
  return ['unexpected', 'An unexpected error occurred: see the service’s log.', 500];
}

const statusOf = (code: string): number =>
  code in statuses ? statuses[code as ImageErrorCode | ServiceErrorCode] : 500;

/** Fastify's error for an address that fails its schema, with the issues of zod. */
interface Invalid {
  readonly validationContext: 'params' | 'querystring';
  readonly validation: readonly {
    readonly keyword: string;
    readonly instancePath: string;
    readonly message: string;
    readonly params: Readonly<Record<string, unknown>>;
  }[];
}

function wrongAddress({ validation, validationContext }: Invalid, { params, query }: FastifyRequest): string {
  const { keyword, instancePath, message, params: details } = validation[0]!;
  if (keyword === 'custom') return message; // our message
  const path = instancePath.split('/').filter((part) => part !== '');
  const issue = { code: keyword, path, message, ...details } as z.core.$ZodIssue;
  if (issue.code === 'unrecognized_keys')
    return `Expected known parameters in the address but received ${issue.keys.join(', ')}: see /docs.`;
  const given = validationContext === 'params' ? params : query;
  return `Expected ${describeIssue(issue, given, `${path.join('.')} in the address`)}: see /docs.`;
}
