import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CheckpointError, FormatError } from '../../../src/errors.ts';
import {
  type CheckpointContent,
  checkpointName,
  listCheckpoints,
  readCheckpoint,
  writeCheckpoint,
} from '../../../src/train/loop/checkpoint-file.ts';
import { temporaryFolder } from '../small-set.ts';

const content: CheckpointContent = {
  tensors: new Map([
    ['a', { dtype: 'F32', shape: [2, 2], bytes: new Uint8Array(new Float32Array([1, 2, 3, -0.5]).buffer) }],
    ['count', { dtype: 'I64', shape: [], bytes: Uint8Array.of(7, 0, 0, 0, 0, 0, 0, 0) }],
    ['random', { dtype: 'U8', shape: [3], bytes: new Uint8Array([1, 2, 3]) }],
  ]),
  state: { epoch: 3, name: 'Jürgen' },
};

/** Buffers and arrays of bytes are alike here. */
const plain = ({ tensors, state }: CheckpointContent) => ({
  state,
  tensors: [...tensors].map(([name, { dtype, shape, bytes }]) => [name, dtype, shape, [...bytes]]),
});

test('reads back what was written, and leaves no temporary file', async () => {
  const folder = temporaryFolder();
  const file = join(folder, checkpointName(3, 40));
  await writeCheckpoint(file, content);
  expect(plain(await readCheckpoint(file))).toEqual(plain(content));
  expect(readdirSync(folder)).toEqual(['00003-0000040.safetensors']);
});

test('sorts by epochs, then steps, newest first', () => {
  const folder = temporaryFolder();
  const names = [checkpointName(1, 0), checkpointName(0, 900), checkpointName(1, 20), checkpointName(12, 0)];
  for (const name of names) writeFileSync(join(folder, name), '');
  writeFileSync(join(folder, `${checkpointName(99, 0)}.part`), '');
  const expected = [names[3], names[2], names[0], names[1]].map((name) => join(folder, name!));
  expect(listCheckpoints(folder)).toEqual(expected);
});

test('finds no checkpoints before a run has started, and rejects a file as their folder', async () => {
  const folder = temporaryFolder();
  expect(listCheckpoints(folder)).toEqual([]);
  expect(listCheckpoints(join(folder, 'not begun'))).toEqual([]);
  const file = join(folder, checkpointName(1, 0));
  writeFileSync(file, '');
  expect(() => listCheckpoints(file)).toThrow(CheckpointError);
  expect(() => listCheckpoints(file)).toThrow(`${file} is a file`);
});

test('rejects every truncation and every flipped byte by name', async () => {
  const file = join(temporaryFolder(), checkpointName(1, 0));
  await writeCheckpoint(file, content);
  const whole = readFileSync(file);
  for (let length = 0; length < whole.length; length += 13) {
    writeFileSync(file, whole);
    truncateSync(file, length);
    await expect(readCheckpoint(file), `cut to ${length}`).rejects.toThrow(FormatError);
    await expect(readCheckpoint(file)).rejects.toThrow(file);
  }
  const data = 8 + Number(whole.readBigUInt64LE(0));
  for (let at = 0; at < whole.length; at++) {
    const flipped = Buffer.from(whole);
    flipped[at]! ^= 0x10;
    writeFileSync(file, flipped);
    if (at >= data) await expect(readCheckpoint(file), `byte ${at}`).rejects.toThrow(FormatError);
    else expect(plain(await contentOrRefusal(file)), `byte ${at} of the header`).toEqual(plain(content));
  }
});

/** Some bytes of the header mean nothing to us; where one does, the file is refused, which is as good. */
async function contentOrRefusal(file: string): Promise<CheckpointContent> {
  try {
    return await readCheckpoint(file);
  } catch (error) {
    expect(error).toBeInstanceOf(FormatError);
    return content;
  }
}
