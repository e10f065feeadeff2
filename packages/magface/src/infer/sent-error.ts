/** Errors on their way between threads: classes do not cross, so that each side names and makes them anew. */
import {
  ConfigError,
  ImageError,
  type ImageErrorCode,
  MagfaceError,
  ModelError,
  type ModelErrorCode,
  ShapeError,
  type Wording,
} from '../errors.ts';

/** An error in the form that crosses. */
export interface SentError {
  readonly name: string;
  /** `unexpected` for a defect, which is none of the typed tree. */
  readonly code: string;
  readonly message: string;
  /** The image, model or option that it is about, else empty. */
  readonly about: string;
  /** What an image's message is made of, so that it can be told under another name. */
  readonly wording?: Wording | undefined;
  /** Where a defect happened; errors of the typed tree say all there is to say. */
  readonly stack?: string | undefined;
}

export function sentError(error: unknown): SentError {
  if (error instanceof MagfaceError) {
    const { name, code, message } = error;
    const wording = error instanceof ImageError ? error.wording : undefined;
    return { name, code, message, about: subjectOf(error), wording };
  }
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  return { name, code: 'unexpected', message, about: '', stack };
}

function subjectOf(error: MagfaceError): string {
  if (error instanceof ImageError) return error.image;
  if (error instanceof ModelError) return error.model;
  return error instanceof ConfigError ? error.key : '';
}

/** @returns the error as its own class again; a defect as a plain Error */
export function receivedError({ name, code, message, about, wording, stack }: SentError): Error {
  if (name === 'AbortError') return new DOMException(message, 'AbortError');
  if (code === 'unexpected') return Object.assign(new Error(message), { stack });
  if (name === 'ImageError') return new ImageError(code as ImageErrorCode, about, wording ?? message);
  if (name === 'ModelError') return new ModelError(code as ModelErrorCode, about, message);
  if (name === 'ConfigError') return new ConfigError(about, message);
  if (name === 'ShapeError') return new ShapeError(message);
  return new MagfaceError(code, message);
}
