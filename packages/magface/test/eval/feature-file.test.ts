import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openFeatureFile, readFeatureFile } from '../../src/eval/feature-file.ts';
import { describeWithShared, shared } from '../support/shared.ts';
import { goldenFeatures } from './golden.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'features-'));
});
afterAll(() => rm(folder, { recursive: true }));

const file = async (name: string, content: string | Buffer): Promise<string> => {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
};

/** A .npy file, version 1.0. */
function npy(header: string, data: Float32Array | Float64Array): Buffer {
  const text = `${header.padEnd(117)}\n`;
  const head = Buffer.from(`\x93NUMPY\x01\x00${String.fromCharCode(text.length, 0)}${text}`, 'latin1');
  return Buffer.concat([head, Buffer.from(data.buffer)]);
}

describe('the official text', () => {
  test('name and values, trailing spaces, line ends of both kinds and none at the end', async () => {
    const features = await readFeatureFile(
      await file('a.list', 'x/a.jpg 1.3515087366104126 -2 3e-3 \r\nb.jpg .5 -0.25 7'),
    );
    expect(features).toEqual({
      values: Float32Array.from([1.3515087366104126, -2, 3e-3, 0.5, -0.25, 7]),
      dimension: 3,
      names: ['x/a.jpg', 'b.jpg'],
    });
  });

  test('every float32 comes back from its text, as float32 and as float64 print it', async () => {
    const finite = fc.float({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 });
    await fc.assert(
      fc.asyncProperty(fc.array(finite, { minLength: 1, maxLength: 50 }), async (numbers) => {
        const line = `n ${numbers.map(String).join(' ')} \n`;
        const { values } = await readFeatureFile(await file('f.list', line));
        expect([...values].map((value) => value + 0)).toEqual(numbers.map((value) => value + 0));
      }),
      { numRuns: 50 },
    );
  });

  test.each([
    ['a 1 2\nb 1\n', 'Expected 2 values as on the first line but line 2 has 1 (at byte 6)'],
    ['a 1 2\nb 1 2 3\n', 'line 2 has 3 (at byte 6)'],
    ['a 1 2\n\nb 1 2\nc 1 x2\n', 'on line 3 but found "x2"'],
    ['a 1 -\n', 'Expected a number on line 1 but found "-" (at byte 4)'],
    ['a 1 .\n', 'but found "."'],
    ['a 1 2.3.4\n', 'but found "2.3.4"'],
    ['a\n', 'the first line is no such'],
    ['', 'the file is empty'],
  ])('%j is refused', async (text, message) => {
    await expect(file('bad.list', text).then(readFeatureFile)).rejects.toThrow(message);
  });

  test('a file that is not there is named', async () => {
    await expect(openFeatureFile(join(folder, 'none.list'))).rejects.toThrow('none.list: Expected a file of features');
  });
});

describe('.npy', () => {
  const header = (descr: string, shape: string): string =>
    `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape}), }`;

  test.each([
    ['<f4', Float32Array.from([1, 2, 3, 4, 5, 6])],
    ['<f8', Float64Array.from([1, 2, 3, 4, 5, 6])],
  ])('%s with names beside it', async (descr, data) => {
    await file('b.names.txt', 'x\ny\n');
    const features = await readFeatureFile(await file('b.npy', npy(header(descr, '2, 3'), data)));
    expect(features).toEqual({ values: Float32Array.from([1, 2, 3, 4, 5, 6]), dimension: 3, names: ['x', 'y'] });
  });

  test('blocks follow one another without a gap', async () => {
    const values = Float32Array.from({ length: 3000 * 512 }, (_, i) => i);
    const { blocks, dimension } = await openFeatureFile(await file('c.npy', npy(header('<f4', '3000, 512'), values)));
    const rows: number[] = [];
    let next = 0;
    for await (const block of blocks) {
      rows.push(block.values.length / dimension);
      expect(block.values[0]).toBe(next);
      next += block.values.length;
    }
    expect(rows).toEqual([2048, 952]);
  });

  test.each([
    [Buffer.from('text that is long enough'), 'does not begin like one'],
    [npy(header('<f4', '2, 3'), new Float32Array(5)), 'Expected 2 x 3 values of 4 bytes but found 20 bytes of data'],
    [npy(header('<i4', '2, 3'), new Float32Array(6)), "but its header is {'descr': '<i4'"],
    [npy(header('<f4', '6,'), new Float32Array(6)), 'Expected an array (N, D)'],
  ])('wrong content is refused: case %#', async (content, message) => {
    await expect(file('d.npy', content).then(readFeatureFile)).rejects.toThrow(message);
  });

  test('names of another number are refused', async () => {
    await file('e.names.txt', 'x\n');
    const path = await file('e.npy', npy(header('<f4', '2, 1'), new Float32Array(2)));
    await expect(readFeatureFile(path)).rejects.toThrow('has 1 for 2 rows');
  });
});

describeWithShared('official files', ['golden/eval/features.list'], () => {
  test('are read to the values that Number() reads', async () => {
    expect(await readFeatureFile(shared('golden/eval/features.list'))).toEqual(
      goldenFeatures('golden/eval/features.list'),
    );
  });
});
