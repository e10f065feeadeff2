import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { bytesSource } from '../../src/format/byte-source.ts';
import { createTarWriter, openTarShard } from '../../src/format/tar-shard.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tar-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const long = `${'d'.repeat(120)}/000002.jpg`;

async function writeShard(): Promise<string> {
  const file = join(folder, 'a.tar');
  const writer = await createTarWriter(file);
  for (const [name, content] of [
    ['000001.jpg', 'one'],
    ['000001.cls', '7'],
    [long, 'x'.repeat(513)],
  ] as const) {
    await writer.write(name, Buffer.from(content));
  }
  await writer.close();
  return file;
}

test('reads back a shard sample by sample', async () => {
  const shard = await openTarShard(await writeShard());
  expect(shard.samples.map(({ key, files }) => [key, ...files.keys()])).toEqual([
    ['000001', 'jpg', 'cls'],
    [long.slice(0, -4), 'jpg'],
  ]);
  const [first, second] = shard.samples;
  expect((await shard.read(first!.files.get('cls')!)).toString()).toBe('7');
  expect(shard.readSync(second!.files.get('jpg')!).toString()).toBe('x'.repeat(513));
  await shard.close();
});

test("exchanges shards with the system's tar in both directions", async () => {
  const file = await writeShard();
  expect(execFileSync('tar', ['-tf', file], { encoding: 'utf8' })).toBe(`000001.jpg\n000001.cls\n${long}\n`);
  writeFileSync(join(folder, 'k.jpg'), 'content');
  for (const format of ['gnu', 'pax', 'ustar']) {
    execFileSync('tar', ['--format', format, '-C', folder, '-cf', join(folder, 'b.tar'), 'k.jpg']);
    const shard = await openTarShard(join(folder, 'b.tar'));
    const entry = shard.samples[0]!.files.get('jpg')!;
    expect((await shard.read(entry)).toString()).toBe('content');
    await shard.close();
  }
});

test('gives the byte offset of damage', async () => {
  const bytes = readFileSync(await writeShard());
  bytes[1024 + 3]! ^= 1;
  await expect(openTarShard(bytesSource(bytes, 'a.tar'))).rejects.toThrow(
    'a.tar (at byte 1024): Expected a file header but found other data: check that this is a tar shard.',
  );
  await expect(openTarShard(bytesSource(Buffer.alloc(600, 1)))).rejects.toThrow('(at byte 0)');
});
