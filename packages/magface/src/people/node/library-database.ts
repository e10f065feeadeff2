/**
 * Keeps a library in PostgreSQL, in a folder or on a server. Embeddings are bytes, because grouping compares all with all: pgvector
 * is not needed.
 */
import { type Database, type DatabasePurpose, openDatabase, type Query } from '../../database/database.ts';
import { bringForward, expectKnownVersion, versionOf } from '../../database/migration.ts';
import { ConfigError, FormatError } from '../../errors.ts';
import type { AllCorrections } from '../correct.ts';
import type { LibraryPeople, LibraryPhoto, LibraryStore } from './library.ts';
import { modelSchema, otherModel, peopleSchema, photoSchema, type StoredLibrary } from './library.ts';
import { libraryTables } from './library-tables.ts';

export const asLibrary: DatabasePurpose = libraryTables.purpose;

/** Photos per query, and numbers of faces per statement. */
const [photosAtOnce, numbersAtOnce] = [500, 5000];

/**
 * Tables are made if missing, and older ones are brought forward. On a server other processes may add photos meanwhile, but of two
 * that save people the second one fails.
 *
 * @param where - a folder, which is made if missing, or `postgres://...`
 * @throws {ConfigError} if it cannot be opened, or another process has the folder
 * @throws {FormatError} if its rows are damaged
 */
export async function openLibraryDatabase(where: string): Promise<LibraryStore> {
  const database = await openDatabase(where, {
    purpose: asLibrary,
    prepare: async ({ query }) => {
      await query("select pg_advisory_xact_lock(hashtext('magface_library'))");
      const version = (await versionOf(query, libraryTables.table)) ?? 0;
      expectKnownVersion(version, libraryTables);
      await bringForward(query, version, libraryTables, undefined);
    },
  });
  try {
    const [head] = await database.query<Head>('select digest, name, record, used, saves from magface_library');
    return storeIn(database, head, await readLibrary(database, head));
  } catch (error) {
    await database.close();
    throw error;
  }
}

interface Head {
  readonly digest: string;
  readonly name: string;
  readonly record: object;
  readonly used: number;
  /** How often people were saved. */
  readonly saves: number;
}

async function readLibrary({ name, query }: Database, head: Head | undefined): Promise<StoredLibrary> {
  try {
    const model = head && modelSchema.parse({ ...head.record, digest: head.digest, name: head.name });
    return {
      ...(model && { model }),
      photos: await readPhotos(query),
      people: peopleSchema.parse({
        corrections: await readCorrections(query),
        numbers: Object.fromEntries(
          (
            await query<{ face: string; person: number }>(
              'select face, person from magface_library_numbers order by face',
            )
          ).map(({ face, person }) => [face, person]),
        ),
        used: head?.used ?? 0,
      }),
    };
  } catch (cause) {
    if (!(cause instanceof Error) || cause.name !== 'ZodError') throw cause;
    throw new FormatError(
      name,
      {
        expected: 'what `magface people` wrote',
        problem: 'a row of its tables is damaged',
        remedy: 'restore the database, or group the photos into another',
      },
      { cause },
    );
  }
}

type PhotoRow = Omit<LibraryPhoto, 'faces'>;

interface FaceRow {
  readonly photo: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly quality: number | null;
  readonly embedding: string;
}

async function readPhotos(query: Query): Promise<Map<string, LibraryPhoto>> {
  const photos = new Map<string, LibraryPhoto>();
  for (let last = '', read = photosAtOnce; read === photosAtOnce; ) {
    const rows = await query<PhotoRow>(
      `select digest, path, bytes, changed from magface_library_photos where digest > $1 order by digest limit ${photosAtOnce}`,
      [last],
    );
    const faces = await query<FaceRow>(
      `select photo, x, y, width, height, quality, translate(encode(embedding, 'base64'), E'\\n', '') as embedding
       from magface_library_faces where photo = any($1::text[]) order by photo, face`,
      [rows.map(({ digest }) => digest)],
    );
    const byPhoto = new Map<string, LibraryPhoto['faces'][number][]>(rows.map(({ digest }) => [digest, []]));
    for (const { photo, quality, embedding, ...box } of faces) byPhoto.get(photo)?.push({ box, quality, embedding });
    for (const row of rows) photos.set(row.digest, photoSchema.parse({ ...row, faces: byPhoto.get(row.digest)! }));
    read = rows.length;
    last = rows.at(-1)?.digest ?? last;
  }
  return photos;
}

async function readCorrections(query: Query): Promise<AllCorrections> {
  const rows = await query<{ kind: keyof AllCorrections; face: string; value: string }>(
    'select kind, face, value from magface_library_corrections order by place',
  );
  const of = (kind: keyof AllCorrections) =>
    rows.filter((row) => row.kind === kind).map(({ face, value }) => [face, value] as const);
  return { names: of('names'), joined: of('joined'), apart: of('apart') };
}

function storeIn(database: Database, head: Head | undefined, stored: StoredLibrary): LibraryStore {
  let saves = head?.saves ?? 0;
  return {
    key: 'database',
    stored,
    setModel: async ({ digest, name, ...record }) => {
      const [row] = await database.query(
        `insert into magface_library (digest, name, record) values ($1, $2, $3::json)
         on conflict (one) do update set name = excluded.name, record = excluded.record
         where magface_library.digest = excluded.digest returning saves`,
        [digest, name, JSON.stringify(record)],
      );
      if (row !== undefined) return;
      const [owner] = await database.query<{ name: string }>('select name from magface_library');
      throw otherModel('database', owner!.name, name); // another process was first
    },
    addPhoto: (photo, before) => database.transaction((query) => addPhoto(query, photo, before)),
    setPeople: async (people, before) => {
      await database.transaction(async (query) => {
        const [row] = await query(
          'update magface_library set used = $1, saves = saves + 1 where saves = $2 returning saves',
          [people.used, saves],
        );
        if (row === undefined) throw savedMeanwhile(database.name);
        await saveNumbers(query, people.numbers, before.numbers);
        if (JSON.stringify(people.corrections) !== JSON.stringify(before.corrections))
          await saveCorrections(query, people.corrections);
      });
      saves++;
    },
    [Symbol.asyncDispose]: () => database.close(),
  };
}

const savedMeanwhile = (name: string): ConfigError =>
  new ConfigError('database', {
    expected: `the library ${name} as it was when it was opened`,
    problem: 'another process saved names or numbers since',
    remedy: 'run the command again: photos that were embedded are kept',
  });

/** A photo that is known gets a new place: its faces are the same. */
async function addPhoto(query: Query, photo: LibraryPhoto, before: LibraryPhoto | undefined): Promise<void> {
  const { digest, path, bytes, changed, faces } = photo;
  await query(
    `insert into magface_library_photos (digest, path, bytes, changed) values ($1, $2, $3, $4)
     on conflict (digest) do update set path = excluded.path, bytes = excluded.bytes, changed = excluded.changed`,
    [digest, path, bytes, changed],
  );
  if (before !== undefined) return;
  for (const [face, { box, quality, embedding }] of faces.entries())
    await query(
      `insert into magface_library_faces (photo, face, x, y, width, height, quality, embedding)
       values ($1, $2, $3, $4, $5, $6, $7, decode($8, 'base64')) on conflict (photo, face) do nothing`,
      [digest, face, box.x, box.y, box.width, box.height, quality, embedding],
    );
}

type Numbers = LibraryPeople['numbers'];

async function saveNumbers(query: Query, numbers: Numbers, before: Numbers): Promise<void> {
  const changed = Object.keys(numbers).filter((face) => numbers[face] !== before[face]);
  for (let at = 0; at < changed.length; at += numbersAtOnce) {
    const faces = changed.slice(at, at + numbersAtOnce);
    await query(
      `insert into magface_library_numbers (face, person) select * from unnest($1::text[], $2::int[])
       on conflict (face) do update set person = excluded.person`,
      [faces, faces.map((face) => String(numbers[face]))],
    );
  }
  const gone = Object.keys(before).filter((face) => numbers[face] === undefined);
  if (gone.length > 0) await query('delete from magface_library_numbers where face = any($1::text[])', [gone]);
}

async function saveCorrections(query: Query, { names, joined, apart }: AllCorrections): Promise<void> {
  const rows = Object.entries({ names, joined, apart }).flatMap(([kind, pairs]) =>
    pairs.map(([face, value]) => ({ kind, face, value })),
  );
  await query('delete from magface_library_corrections');
  await query(
    `insert into magface_library_corrections (place, kind, face, value)
     select place, kind, face, value from unnest($1::text[], $2::text[], $3::text[]) with ordinality as t (kind, face, value, place)`,
    [rows.map(({ kind }) => kind), rows.map(({ face }) => face), rows.map(({ value }) => value)],
  );
}
