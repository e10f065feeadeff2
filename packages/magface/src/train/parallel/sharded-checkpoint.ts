/**
 * Writes a checkpoint of several ranks, each with some columns of the centers: every rank writes its part beside the final
 * file, and the first joins them into a file identical to that of one process. Ranks on several machines share the folder.
 */
import { readdirSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProcessGroup } from '@magface/torch';
import { type LazyTensor, openSafetensors, type SafetensorsFile, writeSafetensors } from '../../format/safetensors.ts';
import type { Tensor } from '../../format/tensor.ts';
import { type CheckpointContent, writeCheckpoint } from '../loop/checkpoint-file.ts';
import { centersName } from '../model/head.ts';
import { classMarginsName } from '../model/heads/head-state.ts';
import { keptPrefixes } from '../model/optimizer.ts';

/** What each rank has some columns of. */
const shardedNames = [centersName, classMarginsName].flatMap((name) => [
  name,
  ...keptPrefixes.map((prefix) => prefix + name),
]);

const shardName = (file: string, rank: number): string => `${file}.shard-${rank}`;

/** Removes the leftovers of a killed run: parts of checkpoints and incomplete files. */
export function removeLeftovers(folder: string): void {
  const isLeft = (name: string): boolean => /\.shard-\d+$/.test(name) || /\.[\da-f-]{36}\.part$/.test(name);
  for (const name of readdirSync(folder)) if (isLeft(name)) rmSync(join(folder, name));
}

/**
 * @param content - equal on all ranks except for the columns of the centers and of what the optimizer keeps for them
 */
export async function writeSharded(file: string, content: CheckpointContent, group: ProcessGroup): Promise<void> {
  const names = Array.from({ length: group.size }, (_, rank) => shardName(file, rank));
  try {
    const own = new Map([...content.tensors].filter(([name]) => shardedNames.includes(name)));
    await writeSafetensors(names[group.rank]!, own);
    group.barrier(); // every part is on disk
    if (group.rank === 0) await joinShards(file, names, content);
    group.barrier(); // no rank continues, and may fail, before the checkpoint exists
  } finally {
    // Also runs if the disk is full or another rank could not write.
    await rm(names[group.rank]!, { force: true });
  }
}

async function joinShards(file: string, shards: readonly string[], content: CheckpointContent): Promise<void> {
  const parts = await Promise.all(shards.map((shard) => openSafetensors(shard)));
  try {
    const names = [...content.tensors.keys()].filter((name) => shardedNames.includes(name));
    const whole = names.map((name) => [name, joined(parts, name)] as const);
    await writeCheckpoint(file, {
      state: content.state,
      tensors: new Map<string, Tensor | LazyTensor>([...content.tensors, ...whole]),
    });
  } finally {
    await Promise.all(parts.map((part) => part.close()));
  }
}

/** (D, K) from the parts' (D, K_r), read when needed. */
function joined(parts: readonly SafetensorsFile[], name: string): LazyTensor {
  const shapes = parts.map((part) => part.tensors.get(name)!.shape as [number, number]);
  const rows = shapes[0]![0];
  const classes = shapes.reduce((sum, [, columns]) => sum + columns, 0);
  const read = async (): Promise<Tensor> => {
    const bytes = new Uint8Array(rows * classes * 4);
    let first = 0;
    for (const [i, part] of parts.entries()) {
      const columns = shapes[i]![1];
      const own = (await part.read(name)).bytes;
      for (let row = 0; row < rows; row++) {
        bytes.set(own.subarray(row * columns * 4, (row + 1) * columns * 4), (row * classes + first) * 4);
      }
      first += columns;
    }
    return { dtype: 'F32', shape: [rows, classes], bytes };
  };
  return { dtype: 'F32', shape: [rows, classes], read };
}
