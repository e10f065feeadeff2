/**
 * A verification set: distinct images, pairs that refer to them, and metadata. It comes from InsightFace's `.bin`, or
 * from a folder of images with a list of pairs.
 */
import { readFile } from 'node:fs/promises';
import { sha256 } from '../format/digest.ts';
import type { Pairs } from './verification.ts';

/** One image of a set. */
export interface SetImage {
  /** As in the set's list; `FILE#INDEX` for a `.bin`. */
  readonly name: string;
  /** SHA-256 of the encoded image, hexadecimal. */
  readonly digest: string;
  /** @returns the encoded image */
  read(): Promise<Uint8Array>;
}

/** Images and pairs, ready to be embedded. */
export interface FaceSet {
  /** Display name: `LFW`, or the file's own name. */
  readonly name: string;
  /** (N) distinct images. */
  readonly images: readonly SetImage[];
  /** (P) rows of `images`, fold after fold. */
  readonly pairs: Pairs;
  /** (P) each: group columns of the pair list. */
  readonly columns: Readonly<Record<string, readonly string[]>>;
  /** (N) `frontal` or `profile`, if the set says so. */
  readonly views?: readonly string[];
  /** Caveats about the figures, one sentence each. */
  readonly notes: readonly string[];
  /** Frees the file. */
  close(): Promise<void>;
}

/** Usual names of sets by file name. */
const known: Readonly<Record<string, string>> = {
  lfw: 'LFW',
  cfpfp: 'CFP-FP',
  cfpff: 'CFP-FF',
  agedb30: 'AgeDB-30',
  calfw: 'CALFW',
  cplfw: 'CPLFW',
  xqlfw: 'XQLFW',
  vgg2fp: 'VGGFace2-FP',
};

/** @returns the usual name of the set for a file or folder name, else that name itself */
export const setName = (name: string): string => known[name.toLowerCase().replaceAll(/[^a-z0-9]/g, '')] ?? name;

/** @returns an image in its own file */
export async function fileImage(name: string, path: string): Promise<SetImage> {
  return { name, digest: sha256(await readFile(path)), read: () => readFile(path) };
}

/**
 * Lists with all genuine pairs first (CALFW, CPLFW) have no contiguous folds. For them fold k is the k-th tenth of the
 * genuine pairs and the k-th tenth of the impostors.
 *
 * @returns (P) the pairs in the order of their folds; undefined if the list is already in fold order
 */
export function foldOrder(same: Uint8Array, folds: number): number[] | undefined {
  const genuine = same.indexOf(0);
  const sorted = genuine > 0 && !same.subarray(genuine).includes(1);
  if (!sorted || folds < 2) return undefined;
  const part = (first: number, count: number, fold: number): number[] => {
    const [from, to] = [Math.floor((count * fold) / folds), Math.floor((count * (fold + 1)) / folds)];
    return Array.from({ length: to - from }, (_, i) => first + from + i);
  };
  return Array.from({ length: folds }, (_, fold) => fold).flatMap((fold) => [
    ...part(0, genuine, fold),
    ...part(genuine, same.length - genuine, fold),
  ]);
}
