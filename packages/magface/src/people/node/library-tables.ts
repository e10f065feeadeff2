/** The tables of a library, in versions. */
import type { Query } from '../../database/database.ts';
import type { Migration } from '../../database/migration.ts';

export const libraryTables: Migration<undefined> = {
  purpose: {
    key: 'database',
    one: 'a library',
    what: 'the library',
    use: 'sorts it',
    remedy: 'wait until it is done, or use PostgreSQL',
    create: 'check --database, or name a folder of photos',
  },
  table: 'magface_library_schema',
  steps: [createTables],
};

async function createTables(query: Query): Promise<void> {
  const statements = [
    'magface_library_schema (version int not null)',
    // One row: the model of all embeddings.
    `magface_library (one boolean primary key default true check (one), digest text not null, name text not null,
       record json not null, used int not null default 0, saves int not null default 0)`,
    `magface_library_photos (digest text primary key, path text not null, bytes double precision not null,
       changed double precision not null)`,
    `magface_library_faces (photo text not null references magface_library_photos on delete cascade, face int not null,
       x double precision not null, y double precision not null, width double precision not null,
       height double precision not null, quality double precision, embedding bytea not null, primary key (photo, face))`,
    'magface_library_numbers (face text primary key, person int not null)',
    `magface_library_corrections (place bigint primary key, kind text not null check (kind in ('names', 'joined', 'apart')),
       face text not null, value text not null)`,
  ];
  for (const table of statements) await query(`create table ${table}`);
  await query('insert into magface_library_schema values (1)');
}
