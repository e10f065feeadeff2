/** Maps errors to statuses and bodies. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import {
  errorReply,
  firstLine,
  type ImageErrorCode,
  MagfaceError,
  ServiceError,
  type ServiceErrorCode,
} from '../errors.ts';
import type { Fault } from '../fault.ts';
import { issueFault } from '../settings/schema-issue.ts';
import type { ServeOptions } from './options.ts';

const statuses: Readonly<Record<string, number>> = {
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
} satisfies Record<ImageErrorCode | ServiceErrorCode, number>;

type Limits = Pick<ServeOptions, 'maxBytes' | 'maxImages'>;

/** Our errors for those of Fastify and plugins. */
function errorsOf({ maxBytes, maxImages }: Limits): Readonly<Record<string, MagfaceError>> {
  const tooLarge = new ServiceError('request_too_large', {
    expected: `images of at most ${maxBytes} bytes`,
    problem: 'one is larger',
    remedy: 'scale it down, or raise --max-bytes',
  });
  const tooMany = new ServiceError('request_too_large', {
    expected: `at most ${maxImages} images in one request`,
    problem: 'the form has more parts',
    remedy: 'split it, or raise --max-images',
  });
  return {
    FST_REQ_FILE_TOO_LARGE: tooLarge,
    FST_ERR_CTP_BODY_TOO_LARGE: tooLarge,
    FST_FILES_LIMIT: tooMany,
    FST_PARTS_LIMIT: tooMany,
    FST_FIELDS_LIMIT: new ServiceError('wrong_request', {
      expected: 'only images in the form',
      problem: 'it has text fields',
      remedy: 'put options into the address',
    }),
    FST_ERR_CTP_INVALID_MEDIA_TYPE: new ServiceError('wrong_media_type', {
      expected: 'a form (multipart/form-data), an image/* or application/octet-stream body, or JSON',
      received: 'another type',
      remedy: 'set Content-Type',
    }),
  };
}

type ErrorHandler = (error: unknown, request: FastifyRequest, reply: FastifyReply) => FastifyReply;

/**
 * @returns Fastify's error handler: defects are logged, and clients do not see their messages.
 *   A failure because the client disconnected is not a defect.
 */
export function errorHandler(limits: Limits): ErrorHandler {
  const known = errorsOf(limits);
  return (error, request, reply) => {
    const { typed, status = statuses[typed.code] ?? 500 } = answerTo(error, request, known);
    if (status >= 500 && status !== 503 && !request.socket.destroyed) request.log.error({ err: error }, typed.code);
    const retryAfter = 'retryAfter' in typed ? typed.retryAfter : undefined;
    if (status === 503) reply.header('Retry-After', String(retryAfter ?? 1));
    if (status === 401) reply.header('WWW-Authenticate', 'Bearer');
    return reply.status(status).send({ error: errorReply(typed) });
  };
}

const unexpected = new MagfaceError('unexpected', {
  problem: 'an unexpected error occurred',
  remedy: 'see the service’s log',
});

interface Answer {
  readonly typed: MagfaceError;
  /** @default that of the error's code */
  readonly status?: number;
}

function answerTo(error: unknown, request: FastifyRequest, known: Readonly<Record<string, MagfaceError>>): Answer {
  if (error instanceof MagfaceError) return { typed: error };
  const { code = '', statusCode = 500 } = error as { readonly code?: string; readonly statusCode?: number };
  const ours = code === 'FST_ERR_VALIDATION' ? wrongAddress(error as Invalid, request) : known[code];
  if (ours !== undefined) return { typed: ours };
  if (statusCode >= 500) return { typed: unexpected };
  const fault = {
    expected: 'a complete and well-formed request',
    problem: `it is not (${firstLine(error)})`,
    remedy: 'check the client',
  };
  return { typed: new ServiceError('wrong_request', fault), status: statusCode };
}

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

function wrongAddress({ validation, validationContext }: Invalid, { params, query }: FastifyRequest): ServiceError {
  const { keyword, instancePath, message, params: details } = validation[0]!;
  if (keyword === 'custom') return new ServiceError('wrong_request', details['params'] as Fault); // ours
  const path = instancePath.split('/').filter((part) => part !== '');
  const issue = { code: keyword, path, message, ...details } as z.core.$ZodIssue;
  const remedy = 'see /docs';
  if (issue.code === 'unrecognized_keys') {
    const received = issue.keys.join(', ');
    return new ServiceError('wrong_request', { expected: 'known parameters in the address', received, remedy });
  }
  const given = validationContext === 'params' ? params : query;
  const fault = issueFault(issue, given, `${path.join('.')} in the address`);
  return new ServiceError('wrong_request', { ...fault, remedy });
}
