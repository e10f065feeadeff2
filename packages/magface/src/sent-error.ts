/**
 * Errors sent between threads: classes do not cross, but their data does, so that the receiver can make each error anew
 * in its own class.
 */
import {
  CheckpointError,
  ConfigError,
  type ErrorData,
  FormatError,
  ImageError,
  MagfaceError,
  ModelError,
  ServiceError,
  ShapeError,
} from './errors.ts';

/** A serialisable error: the data of a typed one, or a defect with its stack; each with its cause. */
export interface SentError extends Partial<ErrorData> {
  readonly name: string;
  readonly message: string;
  /** Of a defect; typed errors need none. */
  readonly stack?: string | undefined;
  readonly cause?: SentError | undefined;
}

const classes: Readonly<Record<string, { readonly prototype: MagfaceError }>> = {
  ...{ MagfaceError, CheckpointError, ConfigError, FormatError },
  ...{ ImageError, ModelError, ServiceError, ShapeError },
};

export function sentError(error: unknown): SentError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) };
  const { name, message, stack } = error;
  const cause = error.cause === undefined ? {} : { cause: sentError(error.cause) };
  return error instanceof MagfaceError ? { ...error.toJSON(), ...cause } : { name, message, stack, ...cause };
}

/** @returns the error in its own class; a defect as a plain Error with its name */
export function receivedError({ message, cause, ...fields }: SentError): Error {
  const { name, code } = fields;
  if (name === 'AbortError') return new DOMException(message, name);
  const options = cause === undefined ? {} : { cause: receivedError(cause) };
  const error = Object.assign(new Error(message, options), fields);
  return code !== undefined && name in classes ? Object.setPrototypeOf(error, classes[name]!.prototype) : error;
}
