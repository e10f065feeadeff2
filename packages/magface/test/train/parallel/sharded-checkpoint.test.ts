/** A checkpoint that cannot be written leaves nothing behind, whichever rank fails. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ProcessGroup } from '@magface/torch';
import { expect, test } from 'vitest';
import { float32Tensor } from '../../../src/format/tensor.ts';
import type { CheckpointContent } from '../../../src/train/loop/checkpoint-file.ts';
import { writeSharded } from '../../../src/train/parallel/sharded-checkpoint.ts';
import { temporaryFolder } from '../small-set.ts';

const centers = float32Tensor([2, 2], new Float32Array(4));
const shards = { 'fc.weight': centers, 'optimizer.fc.weight': centers };
const contentOf = (more: object = {}): CheckpointContent =>
  ({ tensors: new Map(Object.entries({ ...shards, ...more })), state: {} }) as CheckpointContent;
const groupOf = (rank: number, barrier: () => void = () => {}): ProcessGroup =>
  ({ rank, size: 1 + rank, barrier }) as ProcessGroup;

test('joins the parts into one file', async () => {
  const folder = temporaryFolder();
  await writeSharded(join(folder, 'a.safetensors'), contentOf(), groupOf(0));
  expect(readdirSync(folder)).toEqual(['a.safetensors']);
});

test('reports that the first rank cannot write the whole file', async () => {
  const folder = temporaryFolder();
  const full = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
  const read = async (): Promise<never> => {
    throw full;
  };
  const content = contentOf({ 'features.weight': { dtype: 'F32', shape: [1], read } });
  await expect(writeSharded(join(folder, 'a.safetensors'), content, groupOf(0))).rejects.toBe(full);
  expect(readdirSync(folder)).toEqual([]);
});

test('reports that another rank was lost or could not write its part', async () => {
  const folder = temporaryFolder();
  const lost = new Error('rank 0 did not come');
  const barrier = (): never => {
    throw lost;
  };
  await expect(writeSharded(join(folder, 'a.safetensors'), contentOf(), groupOf(1, barrier))).rejects.toBe(lost);
  expect(readdirSync(folder)).toEqual([]);
});
