/** Options of detection, as callers without types may give them. */
import { ConfigError } from '../errors.ts';
import type { DetectOptions } from './detector.ts';

/** @throws {ConfigError} naming the option that is out of its range */
export function expectDetectOptions({ minScore, minFace, maxFaces }: DetectOptions): void {
  const expect = (key: string, value: number | undefined, fits: (value: number) => boolean, what: string): void => {
    if (value === undefined || (typeof value === 'number' && fits(value))) return;
    throw new ConfigError(key, `Expected ${what} as ${key} but received ${value}.`);
  };
  expect('minScore', minScore, (v) => v >= 0 && v <= 1, 'a number from 0 to 1');
  expect('minFace', minFace, (v) => v > 0 && v < Number.POSITIVE_INFINITY, 'pixels above 0');
  expect('maxFaces', maxFaces, (v) => Number.isInteger(v) && v > 0, 'a whole number above 0');
}
