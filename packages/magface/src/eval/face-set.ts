/**
 * A verification set of the field: images once each, pairs that name them, and what else its files tell. Two sources:
 * InsightFace's `.bin`, and a folder of images with a list of pairs.
 */
import { readFile } from 'node:fs/promises';
import { sha256 } from '../format/digest.ts';
import type { Pairs } from './verification.ts';

/** One image of a set. */
export interface SetImage {
  /** As the set's list has it; of a `.bin`, `FILE#INDEX`. */
  readonly name: string;
  /** SHA-256 of the encoded image, hexadecimal. */
  readonly digest: string;
  /** @returns the image as it was encoded */
  read(): Promise<Uint8Array>;
}

/** Images and pairs, ready to be embedded. */
export interface FaceSet {
  /** For people: `LFW`, or the file's own name. */
  readonly name: string;
  /** (N) no image twice. */
  readonly images: readonly SetImage[];
  /** (P) rows of `images`, fold after fold. */
  readonly pairs: Pairs;
  /** (P) each: group columns of the pair list. */
  readonly columns: Readonly<Record<string, readonly string[]>>;
  /** (N) `frontal` or `profile`, where the set says so. */
  readonly views?: readonly string[];
  /** What a reader of the figures must know: a sentence each. */
  readonly notes: readonly string[];
  /** Frees the file. */
  close(): Promise<void>;
}

/** What the field calls the files that hold its sets. */
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

/** @returns the set's usual name for a file or folder called so, else that name itself */
export const setName = (name: string): string => known[name.toLowerCase().replaceAll(/[^a-z0-9]/g, '')] ?? name;

/** @returns an image that lies in a file of its own */
export async function fileImage(name: string, path: string): Promise<SetImage> {
  return { name, digest: sha256(await readFile(path)), read: () => readFile(path) };
}

/**
 * Lists whose genuine pairs all come first (CALFW, CPLFW) name no folds that could be cut out in one piece: fold k then
 * is the k-th tenth of the genuine pairs and the k-th tenth of the impostors.
 *
 * @returns (P) the pairs in the order of their folds; undefined where the list has its folds in order already
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
