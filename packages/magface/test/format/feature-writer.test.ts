import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ConfigError, ShapeError } from '../../src/errors.ts';
import { createFeatureWriter, expectFeatureNames } from '../../src/format/feature-writer.ts';
import { fixtureText } from '../support/fixtures.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'features-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const rows: readonly (readonly [string, Float32Array])[] = [
  ['a.jpg', Float32Array.of(1, -0.1, 1e-5)],
  ['b/ü.jpg', Float32Array.of(2.5, 0, 1e17)],
];

async function written(name: string, metadata?: Record<string, string>): Promise<Buffer> {
  const writer = await createFeatureWriter(join(folder, name), { metadata });
  for (const [image, embedding] of rows) await writer.write(image, embedding);
  await writer.close();
  return readFileSync(join(folder, name));
}

describe('createFeatureWriter', () => {
  test('writes .list as the official text, with floats as Python prints them', async () => {
    const lines = 'a.jpg 1.0 -0.10000000149011612 9.999999747378752e-06 \nb/ü.jpg 2.5 0.0 9.999999843067494e+16 \n';
    expect((await written('f.list')).toString()).toBe(lines);
    expect(readdirSync(folder)).toEqual(['f.list']);
  });

  test('writes .npy with a header of 128 bytes, the final shape, the values, and a file of names', async () => {
    const bytes = await written('f.npy');
    expect(bytes.toString('latin1', 0, 8)).toBe('\x93NUMPY\x01\x00');
    expect(bytes.toString('latin1', 10, 128).trimEnd()).toBe(
      "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }",
    );
    expect(bytes.length).toBe(128 + 24);
    expect(bytes.readFloatLE(128 + 12)).toBe(2.5);
    expect(readFileSync(join(folder, 'f.names.txt'), 'utf8')).toBe('a.jpg\nb/ü.jpg\n');
    expect(readdirSync(folder)).toEqual(['f.names.txt', 'f.npy']);
  });

  test('writes .safetensors with values, names and metadata in one file', async () => {
    const bytes = await written('f.safetensors', { model: 'm' });
    const length = Number(bytes.readBigUInt64LE(0));
    expect(JSON.parse(bytes.toString('utf8', 8, 8 + length))).toEqual({
      __metadata__: { format: 'pt', model: 'm' },
      embeddings: { dtype: 'F32', shape: [2, 3], data_offsets: [0, 24] },
      names: { dtype: 'U8', shape: [14], data_offsets: [24, 38] },
    });
    expect(bytes.toString('utf8', 8 + length + 24)).toBe('a.jpg\nb/ü.jpg');
    expect(readdirSync(folder)).toEqual(['f.safetensors']);
  });

  test('writes .jsonl with one object per line', async () => {
    const [first] = (await written('f.jsonl')).toString().split('\n');
    const { image, magnitude, embedding } = JSON.parse(first!);
    expect([image, embedding[1]]).toEqual(['a.jpg', Math.fround(-0.1)]);
    expect(magnitude).toBeCloseTo(Math.hypot(1, 0.1), 6);
  });

  test('keeps the order of calls that were not awaited', async () => {
    const writer = await createFeatureWriter(join(folder, 'f.npy'), { dimension: 512 });
    const writes = Array.from({ length: 3000 }, (_, i) => writer.write(`${i}`, new Float32Array(512).fill(i)));
    await Promise.all(writes);
    await writer.close();
    const bytes = readFileSync(join(folder, 'f.npy'));
    expect(bytes.length).toBe(128 + 3000 * 2048);
    for (const row of [0, 511, 2999]) expect(bytes.readFloatLE(128 + row * 2048 + 2044)).toBe(row);
  });

  test('leaves no file after discard, and writes a file without rows if empty', async () => {
    for (const name of ['f.list', 'f.npy', 'f.safetensors', 'f.jsonl']) {
      const writer = await createFeatureWriter(join(folder, name));
      await writer.write('a', Float32Array.of(1));
      await writer.discard();
    }
    expect(readdirSync(folder)).toEqual([]);
    await (await createFeatureWriter(join(folder, 'f.npy'), { dimension: 4 })).close();
    expect(readFileSync(join(folder, 'f.npy'), 'latin1')).toContain("'shape': (0, 4)");
  });

  test('replaces the names after the values, and only if the values were written', async () => {
    await written('f.npy');
    const before = readFileSync(join(folder, 'f.names.txt'), 'utf8');
    rmSync(join(folder, 'f.npy'));
    const writer = await createFeatureWriter(join(folder, 'f.npy'));
    await writer.write('other.jpg', Float32Array.of(1));
    mkdirSync(join(folder, 'f.npy')); // what is to be renamed finds a folder there
    await expect(writer.close()).rejects.toThrow();
    expect(readFileSync(join(folder, 'f.names.txt'), 'utf8')).toBe(before);
    expect(readdirSync(folder)).toEqual(['f.names.txt', 'f.npy']);
  });

  test('keeps the file of the last of two writers of one path', async () => {
    for (const name of ['f.list', 'f.npy', 'f.safetensors', 'f.jsonl']) {
      const [one, two] = [await createFeatureWriter(join(folder, name)), await createFeatureWriter(join(folder, name))];
      await Promise.all([one.write('one', Float32Array.of(3, 4)), two.write('two', Float32Array.of(4, 3))]);
      await one.close();
      const first = readFileSync(join(folder, name));
      await two.close();
      expect(readFileSync(join(folder, name)).length).toBe(first.length);
      expect(readFileSync(join(folder, name)).equals(first)).toBe(false);
    }
    expect(readdirSync(folder).sort()).toEqual(['f.jsonl', 'f.list', 'f.names.txt', 'f.npy', 'f.safetensors']);
  });

  test('closes under another name, so that a partial file never replaces a complete one', async () => {
    await written('f.npy');
    const whole = readFileSync(join(folder, 'f.npy'));
    const writer = await createFeatureWriter(join(folder, 'f.npy'));
    await writer.write('a', Float32Array.of(1));
    await writer.close(join(folder, 'f.part.npy'));
    expect(readFileSync(join(folder, 'f.npy')).equals(whole)).toBe(true);
    expect(readFileSync(join(folder, 'f.part.names.txt'), 'utf8')).toBe('a\n');
  });

  test('rejects names that a format cannot hold before it writes', async () => {
    expect(() => expectFeatureNames('f.list', ['a', 'b c'])).toThrow(
      'Expected names without white space in the official text but received "b c": write .npy, .safetensors or .jsonl instead.',
    );
    expect(() => expectFeatureNames('f.npy', ['a', 'b c'])).not.toThrow();
    expect(() => expectFeatureNames('f.npy', ['a\nb'])).toThrow('without line breaks');
    expect(() => expectFeatureNames('f.jsonl', ['a\nb', ''])).not.toThrow();
    expect(() => expectFeatureNames('f.txt', [])).toThrow(ConfigError);
  });

  test('reports a missing folder, or a file in its place, before it writes', async () => {
    const missing = createFeatureWriter(join(folder, 'no/such/f.npy'));
    await expect(missing).rejects.toThrow(`the folder ${join(folder, 'no/such')} does not exist: create it`);
    mkdirSync(join(folder, 'f.list'));
    await expect(createFeatureWriter(join(folder, 'f.list'))).rejects.toThrow('it is a folder: name a file in it');
    mkdirSync(join(folder, 'g.names.txt'));
    await expect(createFeatureWriter(join(folder, 'g.npy'))).rejects.toThrow(ConfigError);
    expect(readdirSync(folder)).toEqual(['f.list', 'g.names.txt']);
  });

  test('rejects other extensions, other lengths, and names that the format cannot hold', async () => {
    await expect(createFeatureWriter(join(folder, 'f.txt'))).rejects.toThrow(ConfigError);
    const writer = await createFeatureWriter(join(folder, 'f.list'));
    await writer.write('a', Float32Array.of(1, 2));
    await expect(writer.write('b', Float32Array.of(1))).rejects.toThrow(ShapeError);
    await expect(writer.write('b c', Float32Array.of(1, 2))).rejects.toThrow('white space');
    await writer.discard();
  });
});

describe('features printed by Python', () => {
  test.each([
    ['of the released model', 'golden/toy-features.list'],
    ['at the edges of float32', 'features/printed.list'],
  ])('%s: writes the same bytes again', async (_, fixture) => {
    const official = fixtureText(fixture);
    const writer = await createFeatureWriter(join(folder, 'f.list'));
    for (const line of official.trimEnd().split('\n')) {
      const [name, ...values] = line.trim().split(' ');
      await writer.write(name!, Float32Array.from(values, Number));
    }
    await writer.close();
    expect(readFileSync(join(folder, 'f.list'), 'utf8')).toBe(official);
  });
});
