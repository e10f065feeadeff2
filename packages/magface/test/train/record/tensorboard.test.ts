import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BinaryReader } from '@bufbuild/protobuf/wire';
import { expect, test } from 'vitest';
import { crc32c, EventFile } from '../../../src/train/record/tensorboard.ts';
import { temporaryFolder } from '../small-set.ts';

test('CRC-32C of "123456789" is 0xe3069283, the check value of its definition', () => {
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa); // RFC 3720, B.4
});

test('an event file contains its version and the scalars, record by record', () => {
  const folder = temporaryFolder();
  new EventFile(folder, 1000.5).add(7, { 'loss/total': 1.5, lr: 0.25 }, 1001);
  const [name = ''] = readdirSync(folder);
  expect(name).toMatch(/^events\.out\.tfevents\.1000\./);
  const bytes = readFileSync(join(folder, name));
  const events: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = Number(bytes.readBigUInt64LE(at));
    events.push(bytes.subarray(at + 12, at + 12 + length));
    at += length + 16;
  }
  expect(events).toHaveLength(2);
  expect(events[0]!.toString('latin1')).toContain('brain.Event:2');
  const reader = new BinaryReader(events[1]!);
  expect([reader.tag(), reader.double(), reader.tag(), reader.int64()]).toEqual([[1, 1], 1001, [2, 0], 7n]);
  expect(reader.tag()).toEqual([5, 2]);
  const summary = new BinaryReader(reader.bytes());
  const values = [0, 1].map(() => {
    summary.tag();
    const value = new BinaryReader(summary.bytes());
    value.tag();
    const tag = value.string();
    value.tag();
    return [tag, value.float()];
  });
  expect(values).toEqual([
    ['loss/total', 1.5],
    ['lr', 0.25],
  ]);
});
