/**
 * The errors of this package. Each has a stable `code`, the fields of a {@link Fault}, and a message made of them. Programs
 * should test `code` and the fields; `message` may change.
 */
import { type Fault, sentence } from './fault.ts';

/** An error as plain data: the same for workers, web pages, `--json` and the service. */
export interface ErrorData extends Partial<Fault> {
  /** The class. */
  readonly name: string;
  readonly code: string;
  readonly message: string;
  /** Further fields of the class, such as `file`. */
  readonly [field: string]: unknown;
}

/** Base class of all errors that this package throws. */
export class MagfaceError extends Error implements Fault {
  override readonly name: string = 'MagfaceError';
  /** Stable identifier in snake_case, such as `image_unreadable`. */
  readonly code: string;
  /** Grammatical subject of the problem, such as the name of an image. */
  declare readonly subject?: string | undefined;
  /** What was expected. */
  declare readonly expected?: string | undefined;
  /** The value that came instead. */
  declare readonly received?: string | undefined;
  /** What is wrong where no value can be named. */
  declare readonly problem?: string | undefined;
  /** What to do. */
  declare readonly remedy: string;

  /** @param place - text before the sentence: the file and the byte */
  constructor(code: string, fault: Fault, options?: ErrorOptions, place = '') {
    super(place + sentence(fault), options);
    this.code = code;
    const { subject, expected, received, problem, remedy } = fault;
    if (subject !== undefined) this.subject = subject;
    if (expected !== undefined) this.expected = expected;
    if (received !== undefined) this.received = String(received);
    if (problem !== undefined) this.problem = problem;
    this.remedy = remedy;
  }

  /** @returns the fields and the message, without cause and stack */
  toJSON(): ErrorData {
    const { name, code, message } = this;
    return { ...Object.fromEntries(Object.entries(this)), name, code, message };
  }
}

/** The part of an error that is printed with `--json` and sent to clients of the service. */
export interface ErrorReply extends Partial<Record<keyof Fault, string | undefined>> {
  readonly code: string;
  readonly message: string;
}

/** @returns code, message and fault, without what only programs in the same process need */
export function errorReply({ code, message, subject, expected, received, problem, remedy }: MagfaceError): ErrorReply {
  const fault = Object.entries({ subject, expected, received, problem, remedy });
  return { code, message, ...Object.fromEntries(fault.filter(([, value]) => value !== undefined)) };
}

/** @returns the first line of a message of other software, without a full stop; more lines repeat it or show code */
export function firstLine(cause: unknown): string {
  const line = (cause instanceof Error ? cause.message : String(cause)).split('\n')[0]!.trim();
  return line.endsWith('.') ? line.slice(0, -1) : line;
}

/** A wrong option, flag or configuration file. The CLI exits with 2. */
export class ConfigError extends MagfaceError {
  override readonly name: string = 'ConfigError';
  /** The wrong option or key, as the user wrote it. */
  readonly key: string;

  constructor(key: string, fault: Fault, options?: ErrorOptions) {
    super('wrong_configuration', fault, options);
    this.key = key;
  }
}

/** Shapes disagree: `Expected features of shape (N, 512) but received (8, 256)`. */
export class ShapeError extends MagfaceError {
  override readonly name: string = 'ShapeError';

  constructor(fault: Fault, options?: ErrorOptions) {
    super('wrong_shape', fault, options);
  }
}

/** The content of a file contradicts its name or header. */
export class FormatError extends MagfaceError {
  override readonly name: string = 'FormatError';
  readonly file: string;
  /** Byte offset of the error in the file, if known. */
  readonly offset: number | undefined;
  /** Name of the damaged part, if it has one: a tensor. */
  readonly part: string | undefined;

  constructor(file: string, fault: Fault, options?: ErrorOptions & { offset?: number; part?: string }) {
    const at = options?.offset === undefined ? '' : ` (at byte ${options.offset})`;
    super('wrong_format', fault, options, `${file}${at}: `);
    this.file = file;
    this.offset = options?.offset;
    this.part = options?.part;
  }
}

/** Why an image has no result: the codes in `{image, error: {code, message}}`. */
export type ImageErrorCode =
  | 'image_missing'
  | 'image_unreadable'
  | 'image_too_large'
  | 'image_wrong_size'
  | 'no_face'
  | 'several_faces'
  | 'quality_too_low'
  | 'already_enrolled'
  | 'differs_from_person'
  | 'person_unknown';

/**
 * An image that cannot be used. A run over many images skips it and exits with 1. A fault whose `subject` is the image can
 * be given another name for it.
 */
export class ImageError extends MagfaceError {
  override readonly name: string = 'ImageError';
  declare readonly code: ImageErrorCode;
  /** The image, as the caller named it. */
  readonly image: string;

  constructor(code: ImageErrorCode, image: string, fault: Fault, options?: ErrorOptions) {
    super(code, fault, options);
    this.image = image;
  }

  /**
   * Copies the error with another name for the image, and optionally with another remedy.
   *
   * @param image - the new name
   * @param remedy - what to do, without the full stop. @default unchanged
   */
  named(image: string, remedy: string = this.remedy): ImageError {
    const { expected, received, problem } = this;
    const subject = this.subject === undefined ? undefined : image;
    return new ImageError(this.code, image, { subject, expected, received, problem, remedy }, { cause: this.cause });
  }
}

/** @returns an image's own error, which counts as a result; rethrows all others: aborts, bugs, broken models */
export function asImageError(error: unknown): ImageError {
  if (error instanceof ImageError) return error;
  throw error;
}

/** Why a model is not available or not usable. */
export type ModelErrorCode =
  | 'model_unknown'
  | 'model_missing'
  | 'model_offline'
  | 'model_download_failed'
  | 'model_wrong_digest'
  | 'model_cache_failed'
  | 'model_not_onnx'
  | 'model_untrainable'
  | 'model_wrong_contract'
  | 'model_run_failed'
  | 'engine_unfit'
  | 'method_unfit';

/** A model that cannot be found, downloaded, verified, read or run. */
export class ModelError extends MagfaceError {
  override readonly name: string = 'ModelError';
  declare readonly code: ModelErrorCode;
  /** The model, as the caller named it. */
  readonly model: string;

  constructor(code: ModelErrorCode, model: string, fault: Fault, options?: ErrorOptions) {
    super(code, fault, options);
    this.model = model;
  }
}

/** A checkpoint that training cannot resume from. */
export class CheckpointError extends MagfaceError {
  override readonly name: string = 'CheckpointError';
  /** The file, or the folder if none of its files is complete. */
  readonly file: string;

  constructor(file: string, fault: Fault, options?: ErrorOptions) {
    super('checkpoint_unusable', fault, options);
    this.file = file;
  }
}

/** Why the service rejected a request, apart from errors of the image itself. */
export type ServiceErrorCode =
  | 'wrong_request'
  | 'unauthorized'
  | 'not_found'
  | 'wrong_method'
  | 'request_too_large'
  | 'wrong_media_type'
  | 'busy'
  | 'timed_out'
  | 'engine_failed'
  | 'wrong_model';

/** A request that the service cannot or will not process. */
export class ServiceError extends MagfaceError {
  override readonly name: string = 'ServiceError';
  declare readonly code: ServiceErrorCode;
  /** Seconds to wait before a retry, if one may help. */
  readonly retryAfter: number | undefined;

  constructor(code: ServiceErrorCode, fault: Fault, options?: ErrorOptions & { retryAfter?: number }) {
    super(code, fault, options);
    this.retryAfter = options?.retryAfter;
  }
}
