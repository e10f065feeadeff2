/** Samples of a training set by index: an array, or for millions of samples a table of numbers that creates each on demand. */
import { ConfigError } from '../../errors.ts';
import type { PackedImage } from '../../format/packed-image.ts';
import { imageKinds, isForeignImageName, isImageName } from '../../image-names.ts';

/** One training image. */
export interface Sample {
  /** The image's file; for a packed image, that file and the image's name, for messages: `train.rec:17`. */
  readonly path: string;
  /** Class, from 0. */
  readonly label: number;
  /** Its location in a packed file, if it is in one. */
  readonly within?: PackedImage;
}

/** Any array of samples fits this. */
export interface Samples extends Iterable<Sample> {
  readonly length: number;
  at(index: number): Sample | undefined;
}

/**
 * @param path - for messages, like that of a {@link Sample}
 * @throws {ConfigError} if its extension is an unreadable kind of image: skipping it would go unnoticed
 */
export function isImage(path: string): boolean {
  if (!isForeignImageName(path)) return isImageName(path);
  throw new ConfigError('train-list', {
    expected: `${imageKinds} images`,
    problem: `${path} is of another kind`,
    remedy: 'save it as PNG, or create the set again',
  });
}

/** @param make - called with each requested index, from 0 to length - 1 */
export function sampleTable(length: number, make: (index: number) => Sample): Samples {
  return {
    length,
    at: (index) => (index >= 0 && index < length ? make(index) : undefined),
    *[Symbol.iterator]() {
      for (let i = 0; i < length; i++) yield make(i);
    },
  };
}

/** Concatenates sets, the classes of each after those of the previous one. */
export function joinSamples(parts: readonly { readonly samples: Samples; readonly classes: number }[]): Samples {
  const [begins, firstLabels]: [number[], number[]] = [[], []];
  let [length, classes] = [0, 0];
  for (const part of parts) {
    begins.push(length);
    firstLabels.push(classes);
    length += part.samples.length;
    classes += part.classes;
  }
  return sampleTable(length, (index) => {
    const part = begins.findLastIndex((begin) => begin <= index);
    const sample = parts[part]!.samples.at(index - begins[part]!)!;
    return { ...sample, label: firstLabels[part]! + sample.label };
  });
}

/** A training set. */
export interface Dataset {
  readonly samples: Samples;
  /** K, the number of classes. */
  readonly classes: number;
  /** Names of the classes, if the source has them. */
  readonly names?: readonly string[];
  /** First sample of each joined set, rising from 0. @default one set */
  readonly sets?: readonly number[];
}
