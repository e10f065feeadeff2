/**
 * People by their faces. As in the paper, a person's template is the mean of the faces' directions, weighted by
 * magnitude,
 *
 *     t = Σ a_i · f_i / ‖f_i‖ = Σ f_i,   a_i = ‖f_i‖
 *
 * so that good faces count more than poor ones and no quality threshold is needed.
 */
import { ConfigError, ServiceError } from '../errors.ts';
import { magnitudeOf } from '../quality.ts';
import { type Database, type DatabaseOptions, noGallery, openDatabase, type Query } from './database.ts';
import { nameFault } from './person-name.ts';
import { TemplateScan } from './template-scan.ts';

/** The model of a gallery's embeddings; those of other models are not comparable. */
export interface GalleryModel {
  readonly name: string;
  /** SHA-256 of the model's file. */
  readonly digest: string;
  readonly embeddingLength: number;
}

/** A face to enrol; an `AnalyzedFace` is one. */
export interface GalleryFace {
  /** (D) float32, not normalized. */
  readonly embedding: Float32Array;
  /** 0 to 100, stored for information. @default none */
  readonly quality?: number | null | undefined;
}

/** Result of an enrolment. */
export interface EnrolledFace {
  /** Its number. */
  readonly face: number;
  /** Number of the person's faces. */
  readonly faces: number;
  /** Whether the person already had this picture, by that number: nothing was added. */
  readonly known: boolean;
}

/** A person found by a search. */
export interface GalleryMatch {
  readonly person: string;
  /** Cosine to the person's template. */
  readonly similarity: number;
  /** Number of faces in the template. */
  readonly faces: number;
}

/** Number of people and faces. */
export interface GalleryCount {
  readonly people: number;
  readonly faces: number;
}

/** Options of a search. */
export interface SearchOptions {
  /** Maximum number. @default 5 */
  readonly limit?: number;
}

/** The part of a gallery that adds, removes and finds people. */
export type SearchableGallery = Pick<Gallery, 'enrol' | 'remove' | 'search' | 'count'>;

/** Owns a connection and, for a folder, the in-memory search. */
export class Gallery {
  readonly #database: Database;
  readonly #model: GalleryModel;
  /** Set by the first search in a folder. */
  #scan: Promise<TemplateScan> | undefined;
  /** Cached for a folder, which nobody else changes: counting is as slow as a search. */
  #counted: Promise<GalleryCount> | undefined;

  private constructor(database: Database, model: GalleryModel) {
    this.#database = database;
    this.#model = model;
  }

  /**
   * @param where - a folder, or `postgres://...` of a server with pgvector
   * @param options - `readOnly` opens an existing gallery, even while another process writes to it
   * @throws {ConfigError} if it cannot be opened
   * @throws {ServiceError} `wrong_model` if it belongs to another model
   */
  static async open(where: string, model: GalleryModel, options: DatabaseOptions = {}): Promise<Gallery> {
    const database = await openDatabase(where, options);
    try {
      if (options.readOnly !== true)
        await database.transaction((query) => prepare(query, model, { indexed: database.shared }));
      else if (!(await isMade(database.query))) throw noGallery(database.name);
      else await isOwn(database.query, model);
      return new Gallery(database, model);
    } catch (error) {
      await database.close();
      throw error;
    }
  }

  /**
   * Adds a face to a new or existing person. It is stored durably once this resolves. A picture that the person
   * already has is not added again, since it would only gain weight.
   *
   * @param person - a name of 1 to 200 characters
   * @throws {ConfigError} if the name is not valid
   */
  async enrol(person: string, { embedding, quality = null }: GalleryFace): Promise<EnrolledFace> {
    const fault = nameFault(person);
    if (fault !== undefined)
      throw new ConfigError('person', `Expected a person's name but ${fault}: pass another name.`);
    const vector = textOf(embedding);
    const { template, ...enrolled } = await this.#database.transaction(async (query) => {
      const known = await knownFace(query, person, embedding);
      if (known !== undefined) return { ...known, template: undefined };
      const [row] = await query<{ faces: number; template: string }>(
        `insert into magface_people as p (id, model, template, faces) values ($1, $2, $3, 1)
         on conflict (id) do update set template = p.template + excluded.template, faces = p.faces + 1
         returning faces, ${templateBytes} as template`,
        [person, this.#model.digest, vector],
      );
      const [added] = await query<{ id: number | string }>(
        'insert into magface_faces (person, model, embedding, quality) values ($1, $2, $3, $4) returning id',
        [person, this.#model.digest, vector, quality],
      );
      return { face: Number(added!.id), faces: row!.faces, known: false, template: row!.template };
    });
    if (template === undefined) return enrolled;
    this.#counted = undefined;
    if (this.#scan !== undefined) await (await this.#scan).set(person, vectorOf(template));
    return enrolled;
  }

  /** Removes a person and all their faces. @returns the number of faces; 0 if nobody has that name */
  async remove(person: string): Promise<number> {
    const [row] = await this.#database.query<{ faces: number }>(
      'delete from magface_people where id = $1 returning faces',
      [person],
    );
    this.#counted = undefined;
    if (this.#scan !== undefined) await (await this.#scan).delete(person);
    return row?.faces ?? 0;
  }

  /**
   * In a folder everybody is compared. A server's people cannot be cached, since others write to it: above 5,000
   * people its index may miss one.
   *
   * @returns the people with the most similar templates, best first
   */
  async search(embedding: Float32Array, { limit = 5 }: SearchOptions = {}): Promise<GalleryMatch[]> {
    return this.#database.shared
      ? searchIndex(this.#database, embedding, limit)
      : this.#searchEverybody(embedding, limit);
  }

  async #searchEverybody(embedding: Float32Array, limit: number): Promise<GalleryMatch[]> {
    this.#scan ??= loadScan(this.#database.query, this.#model.embeddingLength);
    const candidates = await (await this.#scan).candidates(embedding, limit);
    return this.#database.query<GalleryMatch>(
      `select id as person, 1 - (template <=> $1::vector) as similarity, faces from magface_people
       where id = any($2::text[]) order by template <=> $1::vector limit $3`,
      [textOf(embedding), candidates, limit],
    );
  }

  /** @returns the number of people and faces */
  async count(): Promise<GalleryCount> {
    if (this.#database.shared) return countOf(this.#database.query);
    this.#counted ??= countOf(this.#database.query);
    return this.#counted;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#scan)?.[Symbol.asyncDispose]();
    await this.#database.close();
  }
}

async function countOf(query: Query): Promise<GalleryCount> {
  const [row] = await query<GalleryCount>(
    'select count(*)::int as people, coalesce(sum(faces), 0)::int as faces from magface_people',
  );
  return row!;
}

/** Embeddings of one picture differ by at most this share of their length; two pictures by far more. */
const samePicture = 1e-3;

async function knownFace(query: Query, person: string, embedding: Float32Array): Promise<EnrolledFace | undefined> {
  const [row] = await query<{ id: number | string; faces: number }>(
    `select f.id, p.faces from magface_faces f join magface_people p on p.id = f.person
     where f.person = $1 and f.embedding <-> $2::vector <= $3::float8 order by f.id limit 1`,
    [person, textOf(embedding), samePicture * magnitudeOf(embedding)],
  );
  return row === undefined ? undefined : { face: Number(row.id), faces: row.faces, known: true };
}

/** PostgreSQL's own search through pgvector's index. */
function searchIndex(database: Database, embedding: Float32Array, limit: number): Promise<GalleryMatch[]> {
  return database.transaction(async (query) => {
    // More candidates than the answer needs, so that the index of a large gallery rarely misses one.
    await query(`set local hnsw.ef_search = ${Math.min(1000, Math.max(200, 4 * limit))}`);
    if ((await estimatedPeople(query)) <= exactUpTo) await query('set local enable_indexscan = off');
    return query<GalleryMatch>(
      `select id as person, 1 - (template <=> $1::vector) as similarity, faces from magface_people
       order by template <=> $1::vector limit $2`,
      [textOf(embedding), limit],
    );
  });
}

/** A template in pgvector's binary form, which parses three times as fast as its text. */
const templateBytes = "encode(vector_send(template), 'base64')";

/** Templates per query. */
const page = 2000;

async function loadScan(query: Query, dimension: number): Promise<TemplateScan> {
  const scan = await TemplateScan.open(dimension);
  for (let last = '', read = page; read === page; ) {
    const rows = await query<{ id: string; template: string }>(
      `select id, ${templateBytes} as template from magface_people where id > $1 order by id limit ${page}`,
      [last],
    );
    for (const { id, template } of rows) await scan.set(id, vectorOf(template));
    read = rows.length;
    last = rows.at(-1)?.id ?? last;
  }
  return scan;
}

/** Up to this many people every template is compared: this takes ten milliseconds and misses nobody. */
const exactUpTo = 5000;

/** Longest vector of the index. */
const indexedUpTo = 2000;

async function isMade(query: Query): Promise<boolean> {
  const [row] = await query<{ made: boolean }>("select to_regclass('magface_model') is not null as made");
  return row!.made;
}

/** @returns false if it has no model yet; @throws {ServiceError} `wrong_model` if it has another */
async function isOwn(query: Query, { name, digest }: GalleryModel): Promise<boolean> {
  const [owner] = await query<{ digest: string; name: string }>('select digest, name from magface_model');
  if (owner === undefined || owner.digest === digest) return owner !== undefined;
  const message = `Expected the gallery's model ${owner.name} (${owner.digest.slice(0, 12)}) but received ${name} (${digest.slice(0, 12)}): use the gallery's model, or create a new gallery.`;
  throw new ServiceError('wrong_model', message);
}

async function prepare(query: Query, owner: GalleryModel, { indexed }: { readonly indexed: boolean }): Promise<void> {
  const { name, digest, embeddingLength } = owner;
  await query('create extension if not exists vector');
  await query(
    'create table if not exists magface_model (digest text primary key, name text not null, dimension int not null)',
  );
  if (await isOwn(query, owner)) return;
  await query('insert into magface_model values ($1, $2, $3)', [digest, name, embeddingLength]);
  const model = 'model text not null references magface_model';
  await query(
    `create table magface_people (id text primary key, ${model}, template vector(${embeddingLength}) not null, faces int not null)`,
  );
  await query(
    `create table magface_faces (id bigint generated always as identity primary key,
       person text not null references magface_people on delete cascade, ${model},
       embedding vector(${embeddingLength}) not null, quality real, added timestamptz not null default now())`,
  );
  await query('create index on magface_faces (person)');
  if (indexed && embeddingLength <= indexedUpTo)
    await query('create index on magface_people using hnsw (template vector_cosine_ops)');
}

/** Counting thousands of rows is as slow as a search, so the count stops early. */
async function estimatedPeople(query: Query): Promise<number> {
  const [row] = await query<{ people: number }>(
    `select count(*)::int as people from (select 1 from magface_people limit ${exactUpTo + 1}) as enough`,
  );
  return row!.people;
}

/** pgvector's notation. */
const textOf = (embedding: Float32Array): string => `[${embedding.join(',')}]`;

/** @param text - {@link templateBytes}: two 16-bit numbers, then the values, big-endian */
function vectorOf(text: string): Float32Array {
  const { buffer, byteOffset, length } = Buffer.from(text, 'base64');
  const view = new DataView(buffer, byteOffset + 4, length - 4);
  return Float32Array.from({ length: view.byteLength / 4 }, (_, d) => view.getFloat32(4 * d));
}
