/** What `magface convert` does with files that hold no weights: training sets and features. */
import { extname } from 'node:path';

export type ConvertedData = { readonly images: number } | { readonly features: number };

const [featureEndings, onlyFeatures] = [
  ['.list', '.npy', '.jsonl', '.safetensors'],
  ['.npy', '.jsonl'],
];

/** Whether a name's other end tells features from weights, which `.safetensors` may hold both of. */
export const isFeatures = (from: string, to: string): boolean =>
  [from, to].every((name) => featureEndings.includes(extname(name))) &&
  [from, to].some((name) => extname(name) !== '.safetensors');

/** @param to - features where its ending says so, else a training set */
export async function convertData(from: string, to: string, shardSize?: number): Promise<ConvertedData> {
  if (isFeatures(from, to) || onlyFeatures.includes(extname(from))) {
    return { features: await (await import('../format/convert-features.ts')).convertFeatures(from, to) };
  }
  return { images: await (await import('../train/convert-faces.ts')).convertFaces(from, to, { shardSize }) };
}
