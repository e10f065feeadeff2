/** The gallery in a folder, and the same SQL over the wire of PostgreSQL. */
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Gallery } from '../../src/gallery/gallery.ts';

const model = { name: 'tiny', digest: 'd'.repeat(64), embeddingLength: 3 };
const face = (...values: number[]) => ({ embedding: Float32Array.from(values), quality: 50 });

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'magface gallery ü '));
});
afterAll(() => rm(folder, { recursive: true }));

/** What holds wherever a gallery is kept. */
async function holds(where: string): Promise<void> {
  {
    await using gallery = await Gallery.open(where, model);
    expect(await gallery.enrol('ann', face(3, 0, 0))).toMatchObject({ faces: 1 });
    expect(await gallery.enrol('ann', face(0, 1, 0))).toEqual({ face: 2, faces: 2, known: false });
    // The same picture, read once more with another rounding; one of the same direction is another picture.
    expect(await gallery.enrol('ann', face(3.0001, 0, 0))).toEqual({ face: 1, faces: 2, known: true });
    expect(await gallery.enrol('eve', face(3, 0, 0))).toMatchObject({ faces: 1, known: false });
    expect(await gallery.enrol('eve', face(3.1, 0, 0))).toMatchObject({ faces: 2, known: false });
    expect(await gallery.count()).toEqual({ people: 2, faces: 4 });
    await gallery.remove('eve');
    expect(await gallery.count()).toEqual({ people: 1, faces: 2 });
    await gallery.enrol("o'hara; drop table magface_people", face(0, 0, 2));
    // The longer, better face has three times the weight of the other.
    const [best, next] = await gallery.search(Float32Array.of(3, 1, 0), { limit: 2 });
    expect(best).toEqual({ person: 'ann', similarity: expect.closeTo(1, 6), faces: 2 });
    expect(next).toMatchObject({ person: "o'hara; drop table magface_people", similarity: expect.closeTo(0, 6) });
    expect(await gallery.remove("o'hara; drop table magface_people")).toBe(1);
    expect(await gallery.remove('nobody')).toBe(0);
  }
  await expect(Gallery.open(where, { ...model, digest: 'e'.repeat(64), name: 'other' })).rejects.toMatchObject({
    code: 'wrong_model',
    message:
      "Expected the gallery's model tiny (dddddddddddd) but received other (eeeeeeeeeeee): use the gallery's model, or create a new gallery.",
  });
  await using again = await Gallery.open(where, model);
  expect(await again.count()).toEqual({ people: 1, faces: 2 });
}

test('enrols, weights by magnitude, finds and deletes people in a folder, and keeps them', async () => {
  // What an interruption left of a gallery that was being made: it is made anew.
  await mkdir(join(folder, 'a/data.part/base'), { recursive: true });
  await writeFile(join(folder, 'a/data.part/PG_VERSION'), '17');
  await holds(join(folder, 'a'));
  expect(readdirSync(join(folder, 'a'))).toEqual(['data']);
});

describe('a PostgreSQL server', () => {
  test('behaves the same', async () => {
    const database = await PGlite.create({ extensions: { vector } });
    const server = new PGLiteSocketServer({ db: database, port: 0, host: '127.0.0.1', maxConnections: 4 });
    const listening = new Promise<string>((resolve) => {
      server.addEventListener('listening', (event) => {
        const { host, port } = (event as CustomEvent<{ host: string; port: number }>).detail;
        resolve(`postgres://postgres@${host}:${port}/postgres`);
      });
    });
    await server.start();
    try {
      await holds(await listening);
    } finally {
      await server.stop();
      await database.close();
    }
  });

  test('reports an unreachable server without its password', async () => {
    const opening = Gallery.open('postgres://me:secret@127.0.0.1:1/db', model);
    await expect(opening).rejects.toMatchObject({ code: 'wrong_configuration' });
    await expect(opening).rejects.toThrow(/^Expected PostgreSQL at 127\.0\.0\.1:1\/db but it cannot be used/);
    for (const address of ['postgres://', 'postgres://me:secret@[/db'])
      await expect(Gallery.open(address, model)).rejects.toThrow(
        'Expected a server as postgres://USER:PASSWORD@HOST/DATABASE but received another form: correct --gallery.',
      );
  });
});

test('opens only an existing gallery for reading', async () => {
  const where = join(folder, 'none');
  await expect(Gallery.open(where, model, { readOnly: true })).rejects.toThrow(
    `Expected a gallery at ${where} but there`,
  );
  expect(existsSync(where)).toBe(false);
});

test('reads without a lock or write permission, sees committed data, and changes nothing', async () => {
  const where = join(folder, 'a');
  await using writer = await Gallery.open(where, model);
  await writer.enrol('zoe', face(1, 2, 3));
  const before = readdirSync(where);
  await using reader = await Gallery.open(where, model, { readOnly: true });
  expect(await reader.count()).toEqual({ people: 2, faces: 3 });
  const [best] = await reader.search(Float32Array.of(1, 2, 3), { limit: 1 });
  expect(best).toMatchObject({ person: 'zoe' });
  await expect(reader.enrol('max', face(1, 1, 1))).rejects.toThrow('read-only');
  expect(readdirSync(where)).toEqual(before);
  await writer.remove('zoe');
});

test('rejects an invalid name before it writes', async () => {
  await using gallery = await Gallery.open(join(folder, 'a'), model);
  const before = await gallery.count();
  for (const [name, fault] of [
    [' ', 'it is empty'],
    ['a'.repeat(201), 'it has 201 characters'],
    ['a\0', 'it has a NUL character'],
  ] as const)
    await expect(gallery.enrol(name, face(1, 0, 0))).rejects.toThrow(`Expected a person's name but ${fault}`);
  expect(await gallery.count()).toEqual(before);
});

test('does not turn a folder of other files into a gallery', async () => {
  const where = join(folder, 'photos');
  await mkdir(where);
  await writeFile(join(where, 'a.jpg'), '');
  await expect(Gallery.open(where, model)).rejects.toThrow(
    `Expected a gallery or an empty folder at ${where} but it contains other files, such as a.jpg: use a folder only for the gallery.`,
  );
  expect(readdirSync(where)).toEqual(['a.jpg']);
});

test.skipIf(!existsSync('/proc/self'))('fails at once if no folder can be created', async () => {
  await expect(Gallery.open('/proc/magface', model)).rejects.toThrow(
    'Expected to create the folder /proc/magface but /proc does not allow folders: choose another.',
  );
});

test('rejects a folder that is open, also in this process', async () => {
  const where = join(folder, 'a'); // made above: a new database takes seconds
  {
    await using _ = await Gallery.open(where, model);
    await expect(Gallery.open(where, model)).rejects.toThrow('this process has it open: stop it, or use PostgreSQL');
  }
  await (await Gallery.open(where, model))[Symbol.asyncDispose]();
});
