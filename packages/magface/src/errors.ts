/**
 * The one tree of errors. Every message is a sentence that says what was expected, what came and what to do;
 * `code` is stable and for programs, `message` is for people and may change.
 */

/** Base of all errors that this package throws on purpose. */
export class MagfaceError extends Error {
  override readonly name: string = 'MagfaceError';
  /** Stable identifier in snake_case, such as `image_unreadable`. */
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Wrong use: an option, a flag or a configuration file. The CLI exits with 2. */
export class ConfigError extends MagfaceError {
  override readonly name: string = 'ConfigError';
  /** The option or key that is wrong, as the user wrote it. */
  readonly key: string;

  constructor(key: string, message: string, options?: ErrorOptions) {
    super('wrong_configuration', message, options);
    this.key = key;
  }
}

/** Two things that must agree in shape do not: `Expected features of shape (N, 512) but received (8, 256)`. */
export class ShapeError extends MagfaceError {
  override readonly name: string = 'ShapeError';

  constructor(message: string, options?: ErrorOptions) {
    super('wrong_shape', message, options);
  }
}

/** A file that is not what its name or header promises. */
export class FormatError extends MagfaceError {
  override readonly name: string = 'FormatError';
  readonly file: string;
  /** Byte offset in the file where the contradiction was found, when there is one. */
  readonly offset: number | undefined;

  constructor(file: string, message: string, options?: ErrorOptions & { offset?: number }) {
    const at = options?.offset === undefined ? '' : ` (at byte ${options.offset})`;
    super('wrong_format', `${file}: ${message}${at}`, options);
    this.file = file;
    this.offset = options?.offset;
  }
}

/** Why an image gave no result: the codes that appear in `{image, error: {code, message}}`. */
export type ImageErrorCode =
  | 'image_missing'
  | 'image_unreadable'
  | 'image_too_large'
  | 'image_wrong_size'
  | 'no_face'
  | 'several_faces'
  | 'quality_too_low';

/** A message in parts, so that it can be told under another name of its subject, or with another remedy. */
export interface Wording {
  /** The text before, between and behind the places where the subject is named. */
  readonly around: readonly string[];
  /** What to do, without a full stop. */
  readonly remedy?: string | undefined;
}

/** A character that no name of a file has. */
const subject = '\0';

/**
 * @param tell - what was expected and what came, without a full stop
 * @param remedy - what to do, likewise
 */
export const wording = (tell: (subject: string) => string, remedy?: string): Wording => ({
  around: tell(subject).split(subject),
  remedy,
});

const rendered = ({ around, remedy }: Wording, name: string): string =>
  `${around.join(name)}${remedy === undefined ? '' : `: ${remedy}`}.`;

/** One input that cannot be used; a run over many goes on without it and exits with 1. */
export class ImageError extends MagfaceError {
  override readonly name: string = 'ImageError';
  declare readonly code: ImageErrorCode;
  /** The image as the caller named it. */
  readonly image: string;
  /** What the message is made of; a text that was given whole names nothing. */
  readonly wording: Wording | undefined;

  constructor(code: ImageErrorCode, image: string, message: string | Wording, options?: ErrorOptions) {
    super(code, typeof message === 'string' ? message : rendered(message, image), options);
    this.image = image;
    this.wording = typeof message === 'string' ? undefined : message;
  }

  /**
   * The same fault as whoever asked for the image would say it.
   *
   * @param image - what they call it
   * @param remedy - what they can do. @default as it was
   */
  named(image: string, remedy: string | undefined = this.wording?.remedy): ImageError {
    const message = this.wording === undefined ? this.message : { ...this.wording, remedy };
    return new ImageError(this.code, image, message, { cause: this.cause });
  }
}

/** @returns an image's own failure, which is a result; anything else (an abort, a defect, a broken model) is thrown on. */
export function asImageError(error: unknown): ImageError {
  if (error instanceof ImageError) return error;
  throw error;
}

/** Why a model could not be had or used. */
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
  | 'engine_unfit';

/** A model that cannot be found, fetched, trusted, read or run. */
export class ModelError extends MagfaceError {
  override readonly name: string = 'ModelError';
  declare readonly code: ModelErrorCode;
  /** The model as the caller named it. */
  readonly model: string;

  constructor(code: ModelErrorCode, model: string, message: string, options?: ErrorOptions) {
    super(code, message, options);
    this.model = model;
  }
}

/** A checkpoint that cannot be gone on from. */
export class CheckpointError extends MagfaceError {
  override readonly name: string = 'CheckpointError';
  /** The file, or the folder when none of its files is whole. */
  readonly file: string;

  constructor(file: string, message: string, options?: ErrorOptions) {
    super('checkpoint_unusable', message, options);
    this.file = file;
  }
}

/** Why the service did not do what was asked, the image's own faults aside. */
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

/** A request that the service cannot or will not answer. */
export class ServiceError extends MagfaceError {
  override readonly name: string = 'ServiceError';
  declare readonly code: ServiceErrorCode;
  /** Seconds after which to try again, when that may help. */
  readonly retryAfter: number | undefined;

  constructor(code: ServiceErrorCode, message: string, options?: ErrorOptions & { retryAfter?: number }) {
    super(code, message, options);
    this.retryAfter = options?.retryAfter;
  }
}
