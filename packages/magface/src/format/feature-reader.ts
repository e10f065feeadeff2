/**
 * Streams feature files in blocks of rows, with one block in memory at a time. The extension selects the format:
 *
 *     .npy          (N, D) float32, float64 or float16 in C order; names in NAME.names.txt, one per line, if it exists
 *     .safetensors  the one tensor (N, D), names in `names` (U8, joined by line feeds) if it exists
 *     .jsonl        `{"image", "embedding"}`, one line per image
 *     all else      the official text: `name v1 … vD`, one line per image
 */
import { extname } from 'node:path';
import { type ByteSource, openBytes } from './byte-source.ts';
import { arrayBlocks, openNpy, openSafetensorsFeatures } from './feature-arrays.ts';
import type { FeatureBlock } from './feature-block.ts';
import { jsonBlocks, jsonDimension } from './feature-json.ts';
import { textBlocks, textDimension } from './feature-text.ts';

/** An opened feature file. Reading `blocks` to the end, or leaving the loop, closes it. */
export interface FeatureFile {
  /** D, the length of one feature. */
  readonly dimension: number;
  /** The rows in order; can be read once. */
  readonly blocks: AsyncIterable<FeatureBlock>;
}

/**
 * Opens a feature file and reads the dimension of its features.
 *
 * @throws {FormatError} if the file has none of these formats; invalid rows throw when they are read
 */
export async function openFeatureFile(file: string): Promise<FeatureFile> {
  const source = await openBytes(file);
  try {
    const { dimension, blocks } = await featuresOf(source);
    return { dimension, blocks: closing(source, blocks) };
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** The same for an open source; its name selects the format. */
export async function featuresOf(source: ByteSource): Promise<FeatureFile> {
  if (source.size === 0)
    throw source.error(
      { expected: 'features (one image per line)', problem: 'the file is empty', remedy: 'embed some images' },
      0,
    );
  const ending = extname(source.file);
  if (ending === '.npy' || ending === '.safetensors') {
    const array = await (ending === '.npy' ? openNpy(source) : openSafetensorsFeatures(source));
    return { dimension: array.dimension, blocks: arrayBlocks(source, array) };
  }
  if (ending === '.jsonl') {
    const dimension = await jsonDimension(source);
    return { dimension, blocks: jsonBlocks(source, dimension) };
  }
  const dimension = await textDimension(source);
  return { dimension, blocks: textBlocks(source, dimension) };
}

/** Reads a whole feature file, for protocols that need all rows at once. */
export async function readFeatureFile(
  file: string,
): Promise<{ readonly values: Float32Array; readonly dimension: number; readonly names?: readonly string[] }> {
  const { dimension, blocks } = await openFeatureFile(file);
  const parts: FeatureBlock[] = [];
  for await (const block of blocks) parts.push(block);
  const values = new Float32Array(parts.reduce((sum, part) => sum + part.values.length, 0));
  let at = 0;
  for (const part of parts) {
    values.set(part.values, at);
    at += part.values.length;
  }
  const names = parts.flatMap((part) => part.names ?? []);
  return names.length > 0 ? { values, dimension, names } : { values, dimension };
}

async function* closing<T>(source: ByteSource, blocks: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* blocks;
  } finally {
    await source.close();
  }
}
