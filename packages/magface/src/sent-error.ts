/**
 * Errors sent between threads: classes do not cross, but their fields do, so that the receiver can make each error anew
 * in its own class.
 */
import {
  CheckpointError,
  ConfigError,
  FormatError,
  ImageError,
  MagfaceError,
  ModelError,
  ServiceError,
  ShapeError,
} from './errors.ts';

/** A serialisable error. */
export interface SentError {
  readonly name: string;
  readonly message: string;
  /** The fields of a typed error, such as `code`. */
  readonly fields?: Readonly<Record<string, unknown>>;
  /** Stack of a defect outside the typed tree; typed errors need none. */
  readonly stack?: string | undefined;
}

const classes: Readonly<Record<string, { readonly prototype: MagfaceError }>> = {
  ...{ MagfaceError, CheckpointError, ConfigError, FormatError },
  ...{ ImageError, ModelError, ServiceError, ShapeError },
};

export function sentError(error: unknown): SentError {
  if (error instanceof MagfaceError) return { name: error.name, message: error.message, fields: { ...error } };
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  return { name, message, stack };
}

/** @returns the error in its own class, without its cause; a defect as a plain Error */
export function receivedError({ name, message, fields, stack }: SentError): Error {
  if (fields !== undefined && name in classes)
    return Object.setPrototypeOf(Object.assign(new Error(message), fields), classes[name]!.prototype);
  if (name === 'AbortError') return new DOMException(message, 'AbortError');
  return Object.assign(new Error(message), { stack });
}
