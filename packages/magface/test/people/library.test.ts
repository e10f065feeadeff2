/** A library in a folder, in PGlite, and the same SQL over the wire of PostgreSQL. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase } from '../../src/database/database.ts';
import { floatText } from '../../src/format/float-text.ts';
import { type Library, type LibraryPhoto, type LibraryStore, libraryIn } from '../../src/people/node/library.ts';
import { asLibrary, openLibraryDatabase } from '../../src/people/node/library-database.ts';
import { openLibraryFolder } from '../../src/people/node/library-folder.ts';

const model = {
  name: 'tiny',
  digest: 'd'.repeat(64),
  thresholds: [{ fmr: 1e-3, threshold: 0.3, interval: [0.29, 0.31] as [number, number] }],
  likelihood: {
    ...{ weights: [1, 2, 3, 4.5] as [number, number, number, number], covariance: [0.1, 1e-7] },
    ...{ magnitudes: [1, 9] as [number, number], ratios: [-3, 3] as [number, number], source: 'made up' },
  },
};

/** 200 values, so that their base64 has several lines where it is broken into lines. */
const face = (seed: number, quality: number | null): LibraryPhoto['faces'][number] => ({
  box: { x: seed + 1 / 3, y: -0.1, width: 1e-3, height: 1e7 },
  quality,
  embedding: floatText(Float32Array.from({ length: 200 }, (_, d) => Math.sin(seed + d) / 3)),
});

const photo = (name: string, ...faces: LibraryPhoto['faces']): LibraryPhoto => ({
  digest: name.repeat(64),
  path: `/photos/o'hara "${name}" ü.jpg`,
  ...{ bytes: 5_000_000_001, changed: 1_700_000_000_123.456, faces },
});

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'magface library ü '));
});
afterAll(() => rm(folder, { recursive: true }));

const contents = ({ model: own, photos, people }: Library) => ({ model: own, photos: new Map(photos), people });

/** What holds wherever a library is kept. */
async function holds(open: () => Promise<LibraryStore>): Promise<void> {
  const moved = { ...photo('a', face(1, 50.5), face(2, null)), path: '/elsewhere.jpg', bytes: 7, changed: 8 };
  let before: ReturnType<typeof contents>;
  {
    await using library = libraryIn(await open());
    expect(contents(library)).toMatchObject({ model: undefined, people: { numbers: {}, used: 0 } });
    await library.use(model);
    for (const one of [photo('a', face(1, 50.5), face(2, null)), photo('b'), photo('c', face(3, 0)), moved])
      await library.add(one);
    await library.save({
      corrections: {
        names: [['c#0', 'Zoë'], ['a#0', "o'Hara"]], // biome-ignore format: pairs
        joined: [['a#0', 'a#1'], ['gone#0', 'c#0']], // biome-ignore format: pairs
        apart: [['c#0', 'a#0']],
      },
      numbers: { 'a#0': 2, 'a#1': 2, 'c#0': 1, 'gone#0': 1 },
      used: 2,
    });
    const { numbers: _, ...people } = library.people;
    await library.save({ ...people, numbers: { 'a#0': 2, 'a#1': 3, 'c#0': 1 }, used: 3 });
    before = contents(library);
  }
  {
    await using again = libraryIn(await open());
    expect(contents(again)).toEqual(before);
    expect(again.photos.get(moved.digest)).toEqual(moved);
    await expect(again.use({ ...model, name: 'other', digest: 'e'.repeat(64) })).rejects.toThrow(
      'Expected the model tiny (whose embeddings the library has) but received other: pass --model tiny',
    );
    await again.use({ ...model, thresholds: [{ fmr: 0.01, threshold: 0.2 }] });
    await again.save({ ...again.people, corrections: { names: [], joined: [], apart: [['a#0', 'c#0']] } });
    before = contents(again);
  }
  await using last = libraryIn(await open());
  expect(contents(last)).toEqual(before);
}

test('a library is the same after it was closed: in a folder', () => holds(() => openLibraryFolder(join(folder, 'a'))));

test('in PGlite, which one process has at a time', async () => {
  const where = join(folder, 'b');
  await holds(() => openLibraryDatabase(where));
  await using _held = await openLibraryDatabase(where);
  await expect(openLibraryDatabase(where)).rejects.toThrow(/the library.*sorts it/s);
});

test('newer or damaged tables are refused', async () => {
  const where = join(folder, 'b');
  const change = async (sql: string) => {
    const database = await openDatabase(where, { purpose: asLibrary });
    await database.query(sql);
    await database.close();
  };
  await change('update magface_library_schema set version = 2');
  await expect(openLibraryDatabase(where)).rejects.toThrow(
    'Expected a library of version 1 or older but it has version 2: update this package.',
  );
  await change('update magface_library_schema set version = 1');
  await change("update magface_library set record = '{}'");
  await expect(openLibraryDatabase(where)).rejects.toThrow(
    'Expected what `magface people` wrote but a row of its tables is damaged',
  );
});

test('in PostgreSQL, where the second of two who save is refused', async () => {
  const database = await PGlite.create();
  const server = new PGLiteSocketServer({ db: database, port: 0, host: '127.0.0.1', maxConnections: 4 });
  const listening = new Promise<string>((resolve) => {
    server.addEventListener('listening', (event) => {
      const { port } = (event as CustomEvent<{ port: number }>).detail;
      resolve(`postgres://postgres@127.0.0.1:${port}/postgres`);
    });
  });
  await server.start();
  const where = await listening;
  await holds(() => openLibraryDatabase(where));
  {
    await using one = libraryIn(await openLibraryDatabase(where));
    await using other = libraryIn(await openLibraryDatabase(where));
    await one.add(photo('d', face(4, 1)));
    await other.add(photo('d', face(4, 1)));
    await one.save({ ...one.people, used: 9 });
    await expect(other.save({ ...other.people, used: 8 })).rejects.toThrow('Expected the library 127.0.0.1');
    await one.save({ ...one.people, used: 10 });
  }
  {
    await using last = libraryIn(await openLibraryDatabase(where));
    expect(last.people.used).toBe(10);
    expect(last.photos.get('d'.repeat(64))).toEqual(photo('d', face(4, 1)));
  }
  await server.stop();
  await database.close();
});
