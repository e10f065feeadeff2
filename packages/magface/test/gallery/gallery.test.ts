/** The gallery in a folder, and the same SQL over the wire of PostgreSQL. */
import { existsSync, readdirSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Gallery } from '../../src/gallery/gallery.ts';
import { copyPeople, exportLines, readGalleryFile } from '../../src/gallery/gallery-file.ts';

const model = { name: 'tiny', digest: 'd'.repeat(64), embeddingLength: 3 };
const face = (...values: number[]) => ({ embedding: Float32Array.from(values), quality: 50 });

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'magface gallery ü '));
});

/** @returns a folder with a copy of an empty database: making one takes seconds */
async function emptyDatabase(name: string): Promise<string> {
  const empty = join(folder, 'empty');
  if (!existsSync(empty)) await (await PGlite.create(empty, { extensions: { vector } })).close();
  await cp(empty, join(folder, name, 'data'), { recursive: true });
  return join(folder, name);
}
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

const key = Buffer.alloc(32, 7);

test.each(['sealed', 'turned'] as const)(
  'a %s gallery finds the same people, and shows nothing without its key',
  async (protection) => {
    const where = await emptyDatabase(protection);
    const when = new Date('2030-01-02T03:04:05Z');
    {
      await using gallery = await Gallery.open(where, model, { key, protection });
      await gallery.enrol('Ann Lee', face(3, 0, 0), { image: 'ann-1.jpg', consent: 'signed 2026', expires: when });
      await gallery.enrol('Ann Lee', face(0, 1, 0));
      await gallery.enrol('bob', face(0, 0, 2));
      expect(await gallery.enrol('Ann Lee', face(3.0001, 0, 0))).toMatchObject({ known: true });
      const [best, next] = await gallery.search(Float32Array.of(3, 1, 0), { limit: 2 });
      expect(best).toEqual({ person: 'Ann Lee', similarity: expect.closeTo(1, 6), faces: 2 });
      expect(next).toMatchObject({ person: 'bob', similarity: expect.closeTo(0, 6) });
      expect(await gallery.similarityTo('Ann Lee', Float32Array.of(1, 0, 0))).toBeCloseTo(3 / Math.sqrt(10), 6);
    }
    // What a thief of the disk finds.
    const database = await PGlite.create(join(where, 'data'), { extensions: { vector } });
    const dump = JSON.stringify([
      (await database.query('select * from magface_people')).rows,
      (await database.query('select * from magface_faces')).rows,
    ]);
    await database.close();
    for (const open of ['Ann Lee', 'bob', 'ann-1.jpg', 'signed', '[3,1,0]', '[3,0,0]', '[0,0,2]'])
      expect(dump).not.toContain(open);

    await expect(Gallery.open(where, model)).rejects.toThrow(
      'Expected the key of a protected gallery but received none',
    );
    const other = Buffer.alloc(32, 8);
    await expect(Gallery.open(where, model, { key: other })).rejects.toThrow(
      'Expected the key of this gallery but received another',
    );
    await using gallery = await Gallery.open(where, undefined, { key, readOnly: true });
    expect(await gallery.read('Ann Lee')).toEqual({
      person: 'Ann Lee',
      consent: 'signed 2026',
      faces: [
        expect.objectContaining({ face: 1, image: 'ann-1.jpg', expires: '2030-01-02T03:04:05Z', quality: 50 }),
        expect.objectContaining({ face: 2, image: null, expires: null }),
      ],
    });
    const [first] = (await gallery.read('Ann Lee'))!.faces;
    [3, 0, 0].forEach((value, d) => {
      expect(first!.embedding[d]).toBeCloseTo(value, 5);
    });
  },
);

test('a sealed value that was moved to another person is refused', async () => {
  const data = join(folder, 'sealed/data');
  const database = await PGlite.create(data, { extensions: { vector } });
  await database.query(`update magface_people a set template = b.template from magface_people b where a.id <> b.id`);
  await database.close();
  await using gallery = await Gallery.open(join(folder, 'sealed'), model, { key });
  await expect(gallery.search(Float32Array.of(1, 0, 0))).rejects.toThrow(
    'Expected the template of a person as it was sealed',
  );
});

test('people are listed, renamed and merged, and single faces deleted; a log keeps digests of names', async () => {
  await using gallery = await Gallery.open(join(folder, 'a'), model);
  await gallery.enrol('bea', face(0, 3, 0), { image: 'b.jpg' });
  await gallery.enrol('bea', face(0, 0, 1));
  await gallery.enrol('Bea', face(0, 2, 1), { consent: 'asked' });
  await gallery.search(Float32Array.of(0, 1, 0)); // the search in memory must follow
  expect(await gallery.merge('Bea', 'bea')).toBe(1);
  expect(await gallery.read('bea')).toMatchObject({ consent: 'asked', faces: [{ image: 'b.jpg' }, {}, {}] });
  expect(await gallery.removeFace('bea', (await gallery.read('bea'))!.faces[1]!.face)).toBe(true);
  expect(await gallery.removeFace('bea', 9999)).toBe(false);
  const [best] = await gallery.search(Float32Array.of(0, 5, 1));
  expect(best).toEqual({ person: 'bea', similarity: expect.closeTo(1, 6), faces: 2 });
  expect(await gallery.rename('bea', 'Bea Kay')).toBe(2);
  expect(await gallery.rename('bea', 'nobody')).toBe(0);
  await expect(gallery.rename('Bea Kay', 'ann')).rejects.toThrow('Expected a new name but ann is in the gallery');
  await expect(gallery.merge('ann', 'eve')).rejects.toThrow('but eve is not in it');
  expect(await gallery.list()).toEqual([
    expect.objectContaining({ person: 'Bea Kay', faces: 2, quality: 50, consent: 'asked', expires: null }),
    expect.objectContaining({ person: 'ann', faces: 2 }),
  ]);
  expect((await gallery.search(Float32Array.of(0, 5, 1)))[0]).toMatchObject({ person: 'Bea Kay' });
  await gallery.remove('Bea Kay');
  const log = await gallery.deletions('Bea Kay');
  expect(log).toEqual([
    { at: expect.stringMatching(/^20.*Z$/), person: log[0]!.person, faces: 2, reason: 'person forgotten' },
  ]);
  expect(JSON.stringify(await gallery.deletions())).not.toContain('Bea');
  expect(await gallery.deletions('bea')).toMatchObject([{ faces: 1, reason: 'face forgotten' }]);
});

test('faces whose time is over are deleted, also in a copy for reading', async () => {
  const where = join(folder, 'a');
  const past = new Date(Date.now() - 1000);
  {
    await using gallery = await Gallery.open(where, model);
    await gallery.enrol('ann', face(0, 0, 5), { expires: past });
    await gallery.enrol('zed', face(0, 0, 5), { expires: past });
    await using reader = await Gallery.open(where, undefined, { readOnly: true });
    expect(await reader.read('zed')).toBeUndefined();
    await gallery.search(Float32Array.of(0, 0, 1));
    expect(await gallery.forgetExpired()).toBe(2);
    expect((await gallery.search(Float32Array.of(0, 0, 1)))[0]!.similarity).toBeCloseTo(0, 6);
    await gallery.enrol('zed', face(0, 0, 5), { expires: past });
  }
  await using again = await Gallery.open(where, model);
  expect(await again.count()).toEqual({ people: 1, faces: 2 });
  expect(await again.deletions('zed')).toMatchObject([{ reason: 'expired' }, { reason: 'expired' }]);
});

test('a gallery of the first version is brought forward', async () => {
  const where = await emptyDatabase('first');
  const old = await PGlite.create(join(where, 'data'), { extensions: { vector } });
  await old.exec(`create extension vector;
    create table magface_model (digest text primary key, name text not null, dimension int not null);
    insert into magface_model values ('${model.digest}', 'tiny', 3);
    create table magface_people (id text primary key, model text not null references magface_model, template vector(3) not null, faces int not null);
    create table magface_faces (id bigint generated always as identity primary key,
      person text not null references magface_people on delete cascade, model text not null references magface_model,
      embedding vector(3) not null, quality real, added timestamptz not null default now());
    create index on magface_faces (person);
    insert into magface_people values ('ann', '${model.digest}', '[3,4,0]', 1);
    insert into magface_faces (person, model, embedding, quality) values ('ann', '${model.digest}', '[3,4,0]', 40);`);
  await old.close();
  {
    // A copy for reading is brought forward, the gallery itself is not.
    await using reader = await Gallery.open(where, model, { readOnly: true });
    expect(await reader.list()).toMatchObject([{ person: 'ann', quality: 40 }]);
  }
  {
    await using gallery = await Gallery.open(where, model);
    expect(await gallery.enrol('ann', face(3, 4, 0))).toEqual({ face: 1, faces: 1, known: true });
    expect(await gallery.read('ann')).toMatchObject({ faces: [{ magnitude: 5, image: null, expires: null }] });
  }
  const newer = await PGlite.create(join(where, 'data'), { extensions: { vector } });
  await newer.exec('update magface_schema set version = 99');
  await newer.close();
  await expect(Gallery.open(where, model)).rejects.toThrow('it has version 99: update this package.');
});

test('a gallery is exported, imported, and copied under another key', async () => {
  const file = join(folder, 'all.jsonl');
  await using from = await Gallery.open(join(folder, 'turned'), undefined, { key, readOnly: true });
  const lines: string[] = [];
  for await (const line of exportLines(from)) lines.push(line);
  await writeFile(file, `${lines.join('\n')}\n`);
  const other = Buffer.alloc(32, 9);
  await using to = await Gallery.open(await emptyDatabase('copy'), from.model, { key: other, protection: 'turned' });
  expect(await copyPeople(readGalleryFile(file, to), to)).toEqual({ people: 2, faces: 3, known: 0 });
  expect(await copyPeople(from.everybody(), to)).toEqual({ people: 2, faces: 0, known: 3 });
  const [a, b] = [(await from.read('Ann Lee'))!, (await to.read('Ann Lee'))!];
  expect(b).toMatchObject({ consent: a.consent, faces: [{ image: 'ann-1.jpg', added: a.faces[0]!.added }, {}] });
  for await (const line of exportLines(to, 'bob')) lines.push(line);
  expect(JSON.parse(lines.at(-1)!)).toMatchObject({ person: 'bob', faces: [{ embedding: expect.any(String) }] });
  await writeFile(file, 'nothing');
  await expect(copyPeople(readGalleryFile(file, to), to)).rejects.toThrow('line 1 has another form');
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
