/** The tables of a gallery, in versions: an older gallery is brought forward when it is opened. */
import type { DatabasePurpose, Query } from '../database/database.ts';
import { hasTable, type Migration, versionOf } from '../database/migration.ts';
import { ServiceError } from '../errors.ts';
import type { GalleryModel } from './gallery-types.ts';
import type { Protection, Vault } from './vault.ts';

/** What a gallery says of itself. */
export interface GalleryState {
  readonly model: GalleryModel;
  readonly protection: Protection;
  /** Of the key; null without protection. */
  readonly check: string | null;
  readonly version: number;
}

/** @returns undefined if there is none */
export async function readState(query: Query): Promise<GalleryState | undefined> {
  if (!(await hasTable(query, 'magface_model'))) return undefined;
  const version = (await versionOf(query, 'magface_schema')) ?? 1;
  const [row] = await query<{
    digest: string;
    name: string;
    dimension: number;
    protection: Protection;
    key_check: string | null;
  }>(
    version === 1
      ? "select digest, name, dimension, 'none' as protection, null as key_check from magface_model"
      : 'select digest, name, dimension, protection, key_check from magface_model',
  );
  if (row === undefined) return undefined; // interrupted before the first version was complete
  const { digest, name, dimension: embeddingLength, protection, key_check: check } = row;
  return { model: { name, digest, embeddingLength }, protection, check, version };
}

/** @throws {ServiceError} `wrong_model` if the gallery has another */
export function expectOwn({ model: owner }: GalleryState, { name, digest }: GalleryModel): void {
  if (owner.digest === digest) return;
  throw new ServiceError('wrong_model', {
    expected: `the gallery's model ${owner.name} (${owner.digest.slice(0, 12)})`,
    received: `${name} (${digest.slice(0, 12)})`,
    remedy: "use the gallery's model, or create a new gallery",
  });
}

export interface Tables {
  readonly model: GalleryModel;
  readonly vault: Vault;
  /** Whether people get pgvector's index. */
  readonly indexed: boolean;
}

/** Longest vector of the index. */
const indexedUpTo = 2000;

/** Names of a gallery in errors, and how its folder is locked. */
export const asGallery: DatabasePurpose = {
  key: 'gallery',
  one: 'a gallery',
  what: 'the gallery',
  use: 'has it open',
  remedy: 'stop it, or use PostgreSQL to share a gallery',
  create: 'check --gallery, or create one with `magface enroll`',
};

export const galleryTables: Migration<Tables> = {
  purpose: asGallery,
  table: 'magface_schema',
  steps: [createTables, addRecords],
};

/** The version that this code reads and writes. */
export const currentVersion: number = galleryTables.steps.length;

async function createTables(query: Query, { model, vault, indexed }: Tables): Promise<void> {
  const { name, digest, embeddingLength } = model;
  await query('create extension if not exists vector');
  await query(
    'create table if not exists magface_model (digest text primary key, name text not null, dimension int not null)',
  );
  await query('insert into magface_model values ($1, $2, $3)', [digest, name, embeddingLength]);
  const owner = 'model text not null references magface_model';
  await query(
    `create table magface_people (id text primary key, ${owner}, template ${vault.vectorType} not null, faces int not null)`,
  );
  await query(
    `create table magface_faces (id bigint generated always as identity primary key,
       person text not null references magface_people on delete cascade, ${owner},
       embedding ${vault.vectorType} not null, quality real, added timestamptz not null default now())`,
  );
  await query('create index on magface_faces (person)');
  if (indexed && vault.searchable && embeddingLength <= indexedUpTo)
    await query('create index on magface_people using hnsw (template vector_cosine_ops)');
}

/** Names apart from keys, where a face comes from, how long it may be kept, consent, and a log of deletions. */
async function addRecords(query: Query, { vault }: Tables): Promise<void> {
  await query(
    "alter table magface_model add column protection text not null default 'none', add column key_check text",
  );
  await query('update magface_model set protection = $1, key_check = $2', [vault.protection, vault.check]);
  await query('alter table magface_people add column name text, add column consent text');
  await query('update magface_people set name = id');
  await query(
    'alter table magface_faces add column length double precision, add column image text, add column expires timestamptz',
  );
  // Faces of the first version are never sealed.
  if (vault.searchable) await query('update magface_faces set length = vector_norm(embedding)');
  await query('create index on magface_faces (expires) where expires is not null');
  await query(
    'create table magface_deletions (at timestamptz not null default now(), person text not null, faces int not null, reason text not null)',
  );
  await query('create table magface_schema (version int not null)');
  await query('insert into magface_schema values (2)');
}
