/** Converts features between formats, one block of rows at a time. */
import { openFeatureFile } from './feature-reader.ts';
import { createFeatureWriter } from './feature-writer.ts';

/**
 * The extensions select the formats: `.list`, `.npy`, `.safetensors`, `.jsonl`. Rows without names are numbered.
 *
 * @returns the number of features written
 * @throws {FormatError} if a row is damaged; no output remains then
 * @throws {ConfigError} if the output's extension is not a feature format, or the format does not support a name
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
