/** Joins what finished shards wrote, one row at a time. */
import { createReadStream } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { ConfigError } from '../errors.ts';
import { openFeatureFile } from '../format/feature-reader.ts';
import { createFeatureWriter } from '../format/feature-writer.ts';
import { FileWriter } from '../format/file-writer.ts';
import { makeFolder } from '../machine/make-folder.ts';
import { faceName, freeName } from './face-files.ts';
import type { FinishedShard } from './shards.ts';

const rowsOf = (shards: readonly FinishedShard[]): number =>
  shards.reduce((sum, { images }) => sum + images.reduce((rows, image) => rows + image.rows, 0), 0);

/** Joins `.jsonl` or `.csv` files; a CSV has one head. @returns the number of rows */
export async function mergeText(shards: readonly FinishedShard[], output: string): Promise<number> {
  for (const shard of shards) {
    if (extname(shard.output) === extname(output)) continue;
    throw new ConfigError('output', {
      expected: `an output that ends in ${extname(shard.output)}, as the shards do,`,
      received: output,
      remedy: 'rename it',
    });
  }
  const file = await FileWriter.create(output);
  try {
    for (const { output: part } of shards) await appendFile(file, part, { withHead: file.length === 0 });
  } catch (error) {
    await file.discard();
    throw error;
  }
  await file.commit();
  return rowsOf(shards);
}

async function appendFile(file: FileWriter, part: string, { withHead }: { readonly withHead: boolean }): Promise<void> {
  let inHead = extname(part) === '.csv' && !withHead;
  for await (const block of createReadStream(part, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    const end = inHead ? block.indexOf(10) : -1;
    if (inHead && end < 0) continue;
    await file.append(inHead ? block.subarray(end + 1) : block);
    inHead = false;
  }
}

/** Joins feature files of any format. @returns the number of features */
export async function mergeFeatures(shards: readonly FinishedShard[], output: string): Promise<number> {
  const writer = await createFeatureWriter(output);
  try {
    for (const { output: part, images } of shards) {
      if (images.every(({ rows }) => rows === 0)) continue;
      const { dimension, blocks } = await openFeatureFile(part);
      for await (const { values, names } of blocks)
        for (let i = 0; i < values.length / dimension; i++)
          await writer.write(names![i]!, values.subarray(i * dimension, (i + 1) * dimension));
    }
  } catch (error) {
    await writer.discard();
    throw error;
  }
  await writer.close();
  return rowsOf(shards);
}

/** Copies aligned faces into one folder, named as one run names them. @returns the number of faces */
export async function mergeFaces(shards: readonly FinishedShard[], output: string): Promise<number> {
  await makeFolder(output);
  for (const { output: part, images } of shards)
    for (const { name, created = [] } of images)
      for (const [face, file] of created.entries())
        await copyFile(join(part, file), join(output, freeName(output, faceName(name, face))));
  return rowsOf(shards);
}
