/** Checks options of detection from untyped callers. */
import { ConfigError } from '../errors.ts';

/** @throws {ConfigError} naming the option that is out of range */
export function expectDetectOptions({ minScore, minFace, maxFaces }: DetectOptions): void {
  const expect = (key: string, value: number | undefined, fits: (value: number) => boolean, what: string): void => {
    if (value === undefined || (typeof value === 'number' && fits(value))) return;
    throw new ConfigError(key, `Expected ${what} as ${key} but received ${value}.`);
  };
  expect('minScore', minScore, (v) => v >= 0 && v <= 1, 'a number from 0 to 1');
  expect('minFace', minFace, (v) => v > 0 && v < Number.POSITIVE_INFINITY, 'pixels above 0');
  expect('maxFaces', maxFaces, (v) => Number.isInteger(v) && v > 0, 'a whole number above 0');
}

export interface DetectOptions {
  /** Minimum confidence, 0 to 1. @default the decoder's own */
  readonly minScore?: number | undefined;
  /** Minimum side of a face, in pixels of the image. @default a 25th of the image's shorter side */
  readonly minFace?: number | undefined;
  /** Maximum faces, largest first. @default all */
  readonly maxFaces?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}
