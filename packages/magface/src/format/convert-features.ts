/** Features from one form to another, a block of rows in memory at a time. */
import { openFeatureFile } from './feature-reader.ts';
import { createFeatureWriter } from './feature-writer.ts';

/**
 * By the endings: `.list`, `.npy`, `.safetensors`, `.jsonl`. Where the input has no names, rows are called by their numbers.
 *
 * @returns how many features were written
 * @throws {FormatError} when a row is damaged; nothing is left behind then
 * @throws {ConfigError} when the output's ending is no feature format, or cannot hold a name
 */
export async function convertFeatures(input: string, output: string): Promise<number> {
  const { dimension, blocks } = await openFeatureFile(input);
  const writer = await createFeatureWriter(output, { dimension });
  let row = 0;
  try {
    for await (const { values, names } of blocks) {
      const count = values.length / dimension;
      for (let i = 0; i < count; i++) {
        await writer.write(names?.[i] ?? String(row), values.subarray(i * dimension, (i + 1) * dimension));
        row++;
      }
    }
  } catch (error) {
    await writer.discard();
    throw error;
  }
  await writer.close();
  return row;
}
