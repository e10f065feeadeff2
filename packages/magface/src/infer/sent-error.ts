/** Errors sent between threads: classes do not cross, so the receiver creates them anew by name. */
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

/** A serialisable error. */
export interface SentError {
  readonly name: string;
  /** `unexpected` for a defect outside the typed tree. */
  readonly code: string;
  readonly message: string;
  /** The image, model or option concerned, else empty. */
  readonly about: string;
  /** Parts of an image's message, so that the image can be renamed. */
  readonly wording?: Wording | undefined;
  /** Stack of a defect; typed errors need none. */
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

/** @returns the error in its own class; a defect as a plain Error */
export function receivedError({ name, code, message, about, wording, stack }: SentError): Error {
  if (name === 'AbortError') return new DOMException(message, 'AbortError');
  if (code === 'unexpected') return Object.assign(new Error(message), { stack });
  if (name === 'ImageError') return new ImageError(code as ImageErrorCode, about, wording ?? message);
  if (name === 'ModelError') return new ModelError(code as ModelErrorCode, about, message);
  if (name === 'ConfigError') return new ConfigError(about, message);
  if (name === 'ShapeError') return new ShapeError(message);
  return new MagfaceError(code, message);
}
