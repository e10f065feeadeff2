import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FormatError } from '../../src/errors.ts';
import { bytesSource } from '../../src/format/byte-source.ts';
import { openSafetensors, writeSafetensors } from '../../src/format/safetensors.ts';
import { type Dtype, dtypeBits, float32Tensor, type Tensor, toFloat32 } from '../../src/format/tensor.ts';

function file(header: string, values = 8, claimed = header.length): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(claimed));
  return Buffer.concat([length, Buffer.from(header), Buffer.alloc(values)]);
}

const entry = (shape: string, offsets: string, dtype = 'F32'): string =>
  `{"dtype":"${dtype}","shape":${shape},"data_offsets":${offsets}}`;

describe('openSafetensors', () => {
  test('returns every type that was written, and the metadata', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'st-'));
    const path = join(folder, 'a.safetensors');
    const tensors = new Map<string, Tensor>(
      (Object.keys(dtypeBits) as Dtype[]).map((dtype, i) => [
        `t.${dtype}`,
        { dtype, shape: [2, 4], bytes: new Uint8Array(dtypeBits[dtype]).fill(i + 1) },
      ]),
    );
    await writeSafetensors(path, tensors, { made: 'here' });
    const read = await openSafetensors(path);
    expect(read.metadata).toEqual({ format: 'pt', made: 'here' });
    for (const [name, { dtype, bytes }] of tensors) {
      const found = await read.read(name);
      expect([found.dtype, found.shape, [...found.bytes]]).toEqual([dtype, [2, 4], [...bytes]]);
    }
    await read.close();
    rmSync(folder, { recursive: true });
  });

  test.each([
    [
      'overlaps',
      file(`{"a":${entry('[1]', '[0,4]')},"b":${entry('[1]', '[2,6]')}}`),
      'bytes that another tensor also uses',
    ],
    ['gaps', file(`{"a":${entry('[1]', '[4,8]')}}`), 'a gap of 4 bytes'],
    ['names twice', file(`{"a":${entry('[1]', '[0,4]')},"a":${entry('[1]', '[4,8]')}}`), 'the header repeats one'],
    ['bytes beyond the file', file(`{"a":${entry('[4]', '[0,16]')}}`), 'but the file has'],
    ['bytes that nobody has', file(`{"a":${entry('[1]', '[0,4]')}}`), 'but the file has'],
    ['shapes of other sizes', file(`{"a":${entry('[3]', '[0,8]')}}`), 'Expected the size of (3) of F32 for'],
    ['shapes of 2^63', file(`{"a":${entry('[9223372036854775808,2]', '[0,8]')}}`), 'a known dtype, a shape'],
    ['unknown types', file(`{"a":${entry('[2]', '[0,8]', 'F33')}}`), 'a known dtype'],
    ['names of our own', file(`{"a":${entry('[2]', '[0,8]', 'toString')}}`), 'a known dtype'],
    ['headers longer than the file', file('{}', 0, 1000), 'but it claims 1000'],
    ['headers of 2^63', file('{}', 0, 2 ** 63), 'but it claims 9223372036854775808'],
    ['headers that are no JSON', file('{"a":', 0), 'it cannot be parsed'],
    ['headers of nothing but brackets', file('['.repeat(200_000), 0), 'it cannot be parsed'],
    ['files of three bytes', Buffer.alloc(3), 'but it claims 0'],
  ])('rejects %s', async (_, bytes, message) => {
    const error = await openSafetensors(bytesSource(bytes, 'a.safetensors')).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(FormatError);
    expect((error as FormatError).message).toContain(message);
    expect((error as FormatError).offset).toBeTypeOf('number');
  });
});

test('reports a gap at the byte where the tensor after it begins', async () => {
  const bytes = file(`{"a":${entry('[1]', '[4,8]')}}`);
  const error = await openSafetensors(bytesSource(bytes, 'a.safetensors')).catch((reason: unknown) => reason);
  expect((error as FormatError).offset).toBe(8 + Buffer.from(bytes).readUInt32LE(0) + 4);
});

test('toFloat32 converts half, bfloat16 and whole numbers', () => {
  const of = (dtype: Dtype, values: ArrayBufferView): number[] => [
    ...toFloat32({ dtype, shape: [values.byteLength], bytes: new Uint8Array(values.buffer) }),
  ];
  expect(of('F16', Uint16Array.of(0x3c00, 0xbc00, 0x0001, 0x7bff, 0x7c00))).toEqual([1, -1, 2 ** -24, 65504, Infinity]);
  expect(of('BF16', Uint16Array.of(0x3f80, 0xc000))).toEqual([1, -2]);
  expect(of('I64', BigInt64Array.of(-3n))).toEqual([-3]);
  expect(toFloat32(float32Tensor([1], Float32Array.of(0.5)))).toEqual(Float32Array.of(0.5));
});
