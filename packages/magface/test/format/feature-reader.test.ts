import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FormatError } from '../../src/errors.ts';
import { bytesSource } from '../../src/format/byte-source.ts';
import { featuresOf, readFeatureFile } from '../../src/format/feature-reader.ts';
import { createFeatureWriter } from '../../src/format/feature-writer.ts';
import { fixtureFile } from '../support/fixtures.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'features-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const finite = fc.float({ noNaN: true, noDefaultInfinity: true });

async function read(text: string, name = 'f.list'): Promise<{ values: number[]; names: string[] }> {
  const { blocks } = await featuresOf(bytesSource(Buffer.from(text, 'latin1'), name));
  const [values, names]: [number[], string[]] = [[], []];
  for await (const block of blocks) {
    values.push(...block.values);
    names.push(...(block.names ?? []));
  }
  return { values, names };
}

describe('readFeatureFile', () => {
  test.each(['.list', '.npy', '.safetensors', '.jsonl'])('returns every bit that was written to %s', async (ending) => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(finite, finite, finite), { minLength: 1, maxLength: 20 }), async (rows) => {
        const file = join(folder, `f${ending}`);
        const writer = await createFeatureWriter(file);
        for (const [i, row] of rows.entries()) await writer.write(`ü${i}.jpg`, Float32Array.from(row));
        await writer.close();
        const { values, dimension, names } = await readFeatureFile(file);
        expect(dimension).toBe(3);
        expect(values).toEqual(Float32Array.from(rows.flat(), (value) => (ending === '.jsonl' ? value + 0 : value)));
        expect(names).toEqual(rows.map((_, i) => `ü${i}.jpg`));
      }),
      { numRuns: 50, seed: 5 },
    );
  });

  test('reads rows across the chunks of a file of 9 MB', async () => {
    const file = join(folder, 'f.list');
    const writer = await createFeatureWriter(file);
    for (let i = 0; i < 800; i++)
      await writer.write(
        `${i}`,
        new Float32Array(512).map((_, k) => Math.sin(i * 512 + k)),
      );
    await writer.close();
    const { values, names } = await readFeatureFile(file);
    expect(names?.every((name, i) => name === `${i}`)).toBe(true);
    expect(values).toEqual(Float32Array.from({ length: 800 * 512 }, (_, i) => Math.sin(i)));
  });

  test('reads float64 and float16 arrays', async () => {
    const npy = (descr: string, data: ArrayBufferView): Buffer => {
      const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (1, 2), }`.padEnd(117);
      const head = Buffer.from(`\x93NUMPY\x01\x00\x76\x00${text}\n`, 'latin1');
      return Buffer.concat([head, new Uint8Array(data.buffer)]);
    };
    for (const bytes of [npy('<f8', Float64Array.of(1.5, -2)), npy('<f2', Uint16Array.of(0x3e00, 0xc000))]) {
      writeFileSync(join(folder, 'f.npy'), bytes);
      expect(await readFeatureFile(join(folder, 'f.npy'))).toEqual({ values: Float32Array.of(1.5, -2), dimension: 2 });
    }
  });
});

describe('the official text format', () => {
  test('reads every number that Python prints, tabs, empty lines, and an end without a line feed', async () => {
    const text = 'a 1.0 -1e-05 inf 1e+16\r\n\nb\t1152921504606846976 .5  5. 0.00000000000000000000000001';
    const { values, names } = await read(text);
    const expected = [1, -1e-5, Number.POSITIVE_INFINITY, 1e16, 2 ** 60, 0.5, 5, 1e-26];
    expect(values).toEqual(expected.map(Math.fround));
    expect(names).toEqual(['a', 'b']);
  });

  test.each([
    ['a 1 2\nb 1 x2\n', 'Expected a number on line 2 but received "x2"', 10],
    ['a 1 2\nb 1\n', 'Expected 2 values (like the first line) but line 2 has 1', 6],
    ['a 1 2\nb 1 2 3\n', 'Expected 2 values (like the first line) but line 2 has 3', 6],
    ['a 1 -\n', 'Expected a number on line 1 but received "-"', 4],
    ['a\n', 'Expected a name and its values', 0],
    ['', 'the file is empty', 0],
  ])('rejects %j', async (text, message, offset) => {
    const error = await read(text).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(FormatError);
    expect((error as FormatError).message).toContain(message);
    expect((error as FormatError).offset).toBe(offset);
  });
});

test('gives the byte offset of a malformed line in .jsonl', async () => {
  const row = '{"image": "a", "embedding": [1, 2]}\n';
  await expect(read(`${row}{"image": "b"}\n`, 'f.jsonl')).rejects.toThrow(`(at byte ${row.length})`);
  await expect(read(`${row}{"image": "b", "embedding": [1]}`, 'f.jsonl')).rejects.toThrow('this one has 1');
});

test('reads features of the released model with the magnitudes that the official notebook shows', async () => {
  const { values, dimension, names } = await readFeatureFile(fixtureFile('golden/toy-features.list'));
  const magnitudes = names!.map((_, row) => Math.hypot(...values.subarray(row * dimension, (row + 1) * dimension)));
  const expected = [21.7785, 22.1643, 24.0901, 24.4008, 25.903, 27.1119, 27.4125, 28.224, 28.7345, 30.2471];
  expect(magnitudes.map((magnitude) => Number(magnitude.toFixed(4)))).toEqual(expected);
});

test('reads the same bits from a .npy of NumPy and a text printed by Python', async () => {
  const [text, array] = await Promise.all(
    ['list', 'npy'].map((end) => readFeatureFile(fixtureFile(`features/printed.${end}`))),
  );
  expect(array!.values.length).toBeGreaterThan(1500);
  expect(Buffer.from(text!.values.buffer).equals(Buffer.from(array!.values.buffer))).toBe(true);
});
