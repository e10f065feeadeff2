/**
 * The errors of this package. Each message says what was expected, what was received and what to do. Programs should
 * test `code`, which is stable; `message` may change.
 */

/** Base class of all errors that this package throws. */
export class MagfaceError extends Error {
  override readonly name: string = 'MagfaceError';
  /** Stable identifier in snake_case, such as `image_unreadable`. */
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** @returns the first line of an error's message: others repeat it or show code */
export const firstLine = (cause: unknown): string =>
  (cause instanceof Error ? cause.message : String(cause)).split('\n')[0]!;

/** A wrong option, flag or configuration file. The CLI exits with 2. */
export class ConfigError extends MagfaceError {
  override readonly name: string = 'ConfigError';
  /** The wrong option or key, as the user wrote it. */
  readonly key: string;

  constructor(key: string, message: string, options?: ErrorOptions) {
    super('wrong_configuration', message, options);
    this.key = key;
  }
}

/** Shapes disagree: `Expected features of shape (N, 512) but received (8, 256)`. */
export class ShapeError extends MagfaceError {
  override readonly name: string = 'ShapeError';

  constructor(message: string, options?: ErrorOptions) {
    super('wrong_shape', message, options);
  }
}

/** The content of a file contradicts its name or header. */
export class FormatError extends MagfaceError {
  override readonly name: string = 'FormatError';
  readonly file: string;
  /** Byte offset of the error in the file, if known. */
  readonly offset: number | undefined;
  /** What is wrong, without file and offset. */
  readonly reason: string;
  /** Name of the damaged part, if it has one: a tensor. */
  readonly part: string | undefined;

  constructor(file: string, message: string, options?: ErrorOptions & { offset?: number; part?: string }) {
    const at = options?.offset === undefined ? '' : ` (at byte ${options.offset})`;
    super('wrong_format', `${file}: ${message}${at}`, options);
    this.file = file;
    this.offset = options?.offset;
    this.reason = message;
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

/** A message in parts, so that its subject's name or its remedy can be replaced. */
export interface Wording {
  /** The text around the places where the subject is named. */
  readonly around: readonly string[];
  /** What to do, without the full stop. */
  readonly remedy?: string | undefined;
}

/** A character that no file name contains. */
const subject = '\0';

/**
 * @param tell - what was expected and received, without the full stop
 * @param remedy - what to do, without the full stop
 */
export const wording = (tell: (subject: string) => string, remedy?: string): Wording => ({
  around: tell(subject).split(subject),
  remedy,
});

const rendered = ({ around, remedy }: Wording, name: string): string =>
  `${around.join(name)}${remedy === undefined ? '' : `: ${remedy}`}.`;

/** An image that cannot be used. A run over many images skips it and exits with 1. */
export class ImageError extends MagfaceError {
  override readonly name: string = 'ImageError';
  declare readonly code: ImageErrorCode;
  /** The image, as the caller named it. */
  readonly image: string;
  /** The parts of the message; undefined if the message was given as one text. */
  readonly wording: Wording | undefined;

  constructor(code: ImageErrorCode, image: string, message: string | Wording, options?: ErrorOptions) {
    super(code, typeof message === 'string' ? message : rendered(message, image), options);
    this.image = image;
    this.wording = typeof message === 'string' ? undefined : message;
  }

  /**
   * Copies the error with another name for the image, and optionally with another remedy.
   *
   * @param image - the new name
   * @param remedy - what to do, without the full stop. @default unchanged
   */
  named(image: string, remedy: string | undefined = this.wording?.remedy): ImageError {
    const message = this.wording === undefined ? this.message : { ...this.wording, remedy };
    return new ImageError(this.code, image, message, { cause: this.cause });
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

  constructor(code: ModelErrorCode, model: string, message: string, options?: ErrorOptions) {
    super(code, message, options);
    this.model = model;
  }
}

/** A checkpoint that training cannot resume from. */
export class CheckpointError extends MagfaceError {
  override readonly name: string = 'CheckpointError';
  /** The file, or the folder if none of its files is complete. */
  readonly file: string;

  constructor(file: string, message: string, options?: ErrorOptions) {
    super('checkpoint_unusable', message, options);
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

  constructor(code: ServiceErrorCode, message: string, options?: ErrorOptions & { retryAfter?: number }) {
    super(code, message, options);
    this.retryAfter = options?.retryAfter;
  }
}
