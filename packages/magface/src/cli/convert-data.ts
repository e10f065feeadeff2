/** `magface convert` for files other than weights: training sets, verification sets and features. */
import { extname } from 'node:path';

export type ConvertedData = { readonly images: number } | { readonly features: number } | { readonly pairs: number };

const [featureEndings, onlyFeatures] = [
  ['.list', '.npy', '.jsonl', '.safetensors'],
  ['.npy', '.jsonl'],
];

/** Whether these are features: `.safetensors` may also hold weights, so the other name decides. */
export const isFeatures = (from: string, to: string): boolean =>
  [from, to].every((name) => featureEndings.includes(extname(name))) &&
  [from, to].some((name) => extname(name) !== '.safetensors');

/** By extension: features, a verification set, or a training set. */
export async function convertData(from: string, to: string, shardSize?: number): Promise<ConvertedData> {
  if (isFeatures(from, to) || onlyFeatures.includes(extname(from))) {
    return { features: await (await import('../format/convert-features.ts')).convertFeatures(from, to) };
  }
  if ([from, to].some((name) => extname(name) === '.bin')) {
    return { pairs: await (await import('../eval/convert-face-set.ts')).convertFaceSet(from, to) };
  }
  return { images: await (await import('../train/data/convert-faces.ts')).convertFaces(from, to, { shardSize }) };
}
