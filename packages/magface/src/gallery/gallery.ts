/**
 * People by their faces. As in the paper, a person's template is the mean of the faces' directions, weighted by
 * magnitude,
 *
 *     t = Σ a_i · f_i / ‖f_i‖ = Σ f_i,   a_i = ‖f_i‖
 *
 * so that good faces count more than poor ones and no quality threshold is needed.
 */
import { type Database, nothingStored, openDatabase, type Query } from '../database/database.ts';
import { bringForward } from '../database/migration.ts';
import { ConfigError } from '../errors.ts';
import { compare } from '../similarity.ts';

import { cannotSeal, expectFit, tooOld, wrongKey } from './expect-fit.ts';
import type {
  Deletion,
  EnrolledFace,
  EnrolOptions,
  GalleryCount,
  GalleryFace,
  GalleryMatch,
  GalleryModel,
  ListedPerson,
  SearchOptions,
  StoredPerson,
} from './gallery-types.ts';
import { type ChangedTemplate, PeopleRows } from './people-rows.ts';
import { nameFault } from './person-name.ts';
import { asGallery, currentVersion, galleryTables, readState } from './schema.ts';
import { loadScan, searchIndex, type TemplateRow, templateRows } from './search-templates.ts';
import type { TemplateScan } from './template-scan.ts';
import { createVault, type Protection, type Vault } from './vault.ts';

/** Options for opening a gallery. */
export interface GalleryOptions {
  /**
   * Opens an existing gallery for reading only. A folder is copied, so that this neither waits for its owner nor needs
   * permission to write. @default false
   */
  readonly readOnly?: boolean | undefined;
  /** 32 bytes that protect the gallery: `readGalleryKey` reads them from a file. @default none: it is not protected */
  readonly key?: Buffer | undefined;
  /** Protection of a new gallery that has a key. @default `sealed` in a folder, `turned` on a server */
  readonly protection?: Exclude<Protection, 'none'> | undefined;
}

/** The part of a gallery that the service uses. */
export type SearchableGallery = Pick<
  Gallery,
  | 'enrol'
  | 'remove'
  | 'removeFace'
  | 'search'
  | 'similarityTo'
  | 'count'
  | 'list'
  | 'read'
  | 'everybody'
  | 'rename'
  | 'merge'
  | 'changes'
  | 'forgetExpired'
>;

/** Owns a connection and, for a folder, the in-memory search. */
export class Gallery {
  /** The model that the embeddings come from. */
  readonly model: GalleryModel;
  readonly protection: Protection;
  readonly #database: Database;
  readonly #vault: Vault;
  /** Set by the first search in a folder. */
  #scan: Promise<TemplateScan> | undefined;
  /** Cached for a folder, which nobody else changes: counting is as slow as a search. */
  #counted: Promise<GalleryCount> | undefined;
  #changes = 0;

  private constructor(database: Database, model: GalleryModel, vault: Vault) {
    this.#database = database;
    this.model = model;
    this.protection = vault.protection;
    this.#vault = vault;
  }

  /**
   * Faces whose time is over are deleted. A gallery of an older version is brought forward.
   *
   * @param where - a folder, or `postgres://...` of a server with pgvector
   * @param model - undefined opens an existing gallery of any model
   * @throws {ConfigError} if it cannot be opened, or the key is missing or wrong
   * @throws {ServiceError} `wrong_model` if it belongs to another model
   */
  static async open(
    where: string,
    model: GalleryModel | undefined,
    { readOnly = false, key, protection }: GalleryOptions = {},
  ): Promise<Gallery> {
    let opened: { readonly vault: Vault; readonly model: GalleryModel } | undefined;
    const database = await openDatabase(where, {
      purpose: asGallery,
      readOnly,
      existing: readOnly || model === undefined,
      prepare: async ({ query, shared, changeable, name }) => {
        const state = await readState(query);
        if (state === undefined && (model === undefined || readOnly)) throw nothingStored(name, asGallery);
        const owner = model ?? state!.model;
        const kind = state?.protection ?? (key === undefined ? 'none' : (protection ?? (shared ? 'turned' : 'sealed')));
        if (kind === 'sealed' && shared) throw cannotSeal();
        if (state !== undefined) expectFit(state, { model: owner, key });
        const vault = createVault(kind, owner.embeddingLength, key);
        if (state !== undefined && vault.check !== state.check) throw wrongKey();
        const version = state?.version ?? 0;
        if (version < currentVersion && !changeable) throw tooOld(name);
        await bringForward(query, version, galleryTables, { model: owner, vault, indexed: shared });
        if (changeable) await forgetExpired(new PeopleRows(query, vault, owner.digest));
        opened = { vault, model: owner };
      },
    });
    return new Gallery(database, opened!.model, opened!.vault);
  }

  /** Grows with each change by this object. */
  get changes(): number {
    return this.#changes;
  }

  /**
   * Adds a face to a new or existing person. It is stored durably once this resolves. A picture that the person
   * already has is not added again, since it would only gain weight.
   *
   * @param person - a name of 1 to 200 characters
   * @throws {ConfigError} if the name is not valid
   */
  async enrol(person: string, face: GalleryFace, options: EnrolOptions = {}): Promise<EnrolledFace> {
    expectName(person);
    const { changed, ...enrolled } = await this.#change((rows) => rows.add(person, face, options));
    await this.#follow(changed);
    return enrolled;
  }

  /** Removes a person and all their faces. @returns the number of faces; 0 if nobody has that name */
  async remove(person: string): Promise<number> {
    const removed = await this.#change((rows) => rows.removePerson(person));
    await this.#follow({ id: this.#vault.idOf(person), template: undefined });
    return removed;
  }

  /**
   * Removes one face, and the person with the last one.
   *
   * @param face - its number
   * @returns whether the person had it
   */
  async removeFace(person: string, face: number): Promise<boolean> {
    const { removed, changed } = await this.#change((rows) => rows.removeFaces(person, [face], 'face forgotten'));
    await this.#follow(changed);
    return removed > 0;
  }

  /**
   * Gives a person another name.
   *
   * @returns the number of faces; 0 if nobody has the old name
   * @throws {ConfigError} if somebody has the new name, or it is not valid
   */
  async rename(person: string, name: string): Promise<number> {
    expectName(name);
    if (name === person) return (await this.read(person))?.faces.length ?? 0;
    return this.#move(person, name, (holder) => {
      if (holder === undefined) return;
      throw new ConfigError('to', {
        expected: 'a new name',
        problem: `${name} is in the gallery`,
        remedy: 'merge the two, or choose another',
      });
    });
  }

  /**
   * Gives all faces of one person to another, for two entries that are one person.
   *
   * @returns the number of faces that moved; 0 if nobody has the first name
   * @throws {ConfigError} if nobody has the other name
   */
  async merge(person: string, into: string): Promise<number> {
    if (person === into)
      throw new ConfigError('into', { expected: 'two people', received: `${person} twice`, remedy: 'name two people' });
    return this.#move(person, into, (holder) => {
      if (holder !== undefined) return;
      throw new ConfigError('into', {
        expected: 'a person in the gallery',
        problem: `${into} is not in it`,
        remedy: 'check the name',
      });
    });
  }

  /** @returns everything that is stored of a person; undefined if nobody has that name */
  read(person: string): Promise<StoredPerson | undefined> {
    return this.#rows().read(person);
  }

  /** @returns everybody, by name */
  list(): Promise<ListedPerson[]> {
    return this.#rows().list();
  }

  /** @param person - only deletions of this name. @default all @returns oldest first */
  deletions(person?: string): Promise<Deletion[]> {
    return this.#rows().deletions(person);
  }

  /** Deletes faces whose time is over; opening does this too. @returns their number */
  async forgetExpired(): Promise<number> {
    const { forgotten, changed } = await this.#change(forgetExpired);
    for (const one of changed) await this.#follow(one);
    return forgotten;
  }

  /**
   * In a folder everybody is compared. A server's people cannot be cached, since others write to it: above 5,000
   * people its index may miss one.
   *
   * @returns the people with the most similar templates, best first
   */
  async search(embedding: Float32Array, { limit = 5 }: SearchOptions = {}): Promise<GalleryMatch[]> {
    const query = this.#vault.indexed(embedding);
    const rows = this.#database.shared
      ? await searchIndex(this.#database, { query, limit, vault: this.#vault })
      : await this.#searchEverybody(query, limit);
    return rows
      .map(({ id, name, faces, template }) => ({
        person: this.#vault.openText(name, ['name', id]),
        similarity: compare(this.#vault.openIndexed(template, ['template', id]), query),
        faces,
      }))
      .sort((a, b) => b.similarity - a.similarity)
      .slice(0, limit);
  }

  /** @returns the cosine to a person's template; undefined if nobody has that name */
  async similarityTo(person: string, embedding: Float32Array): Promise<number | undefined> {
    const id = this.#vault.idOf(person);
    const [row] = await this.#database.query<TemplateRow>(`${templateRows(this.#vault)} where id = $1`, [id]);
    if (row === undefined) return undefined;
    return compare(this.#vault.openVector(row.template, ['template', id]), embedding);
  }

  /** @returns everything that is stored, person by person */
  everybody(): AsyncGenerator<StoredPerson> {
    return this.#rows().everybody();
  }

  async #searchEverybody(query: Float32Array, limit: number): Promise<TemplateRow[]> {
    this.#scan ??= loadScan(this.#database.query, this.#vault, this.model.embeddingLength).catch((error: unknown) => {
      this.#scan = undefined;
      throw error;
    });
    const candidates = await (await this.#scan).candidates(query, limit);
    return this.#database.query<TemplateRow>(`${templateRows(this.#vault)} where id = any($1::text[])`, [candidates]);
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

  #rows(query: Query = this.#database.query): PeopleRows {
    return new PeopleRows(query, this.#vault, this.model.digest);
  }

  async #change<Result>(body: (rows: PeopleRows) => Promise<Result>): Promise<Result> {
    const result = await this.#database.transaction((query) => body(this.#rows(query)));
    this.#changes++;
    this.#counted = undefined;
    return result;
  }

  /** Keeps the search in memory up to date. */
  async #follow(changed: ChangedTemplate | undefined): Promise<void> {
    if (changed === undefined || this.#scan === undefined) return;
    const { id, template } = changed;
    const scan = await this.#scan;
    await (template === undefined ? scan.delete(id) : scan.set(id, template));
  }

  /** Adds a person's faces to another, and deletes the first. */
  async #move(from: string, to: string, expectTarget: (holder: object | undefined) => void): Promise<number> {
    const { moved, changed } = await this.#change(async (rows) => {
      const person = await rows.read(from);
      if (person === undefined) return { moved: 0, changed: [] };
      const holder = await rows.find(to);
      expectTarget(holder);
      const removed = await rows.removeFaces(
        from,
        person.faces.map(({ face }) => face),
      );
      const changed: (ChangedTemplate | undefined)[] = [removed.changed];
      for (const { image, expires, added, ...face } of person.faces) {
        const options = {
          image: image ?? undefined,
          expires: dateOf(expires),
          added: dateOf(added),
          consent: holder?.consent == null ? (person.consent ?? undefined) : undefined,
        };
        changed.push((await rows.add(to, face, options)).changed);
      }
      return { moved: person.faces.length, changed };
    });
    for (const one of changed) await this.#follow(one);
    return moved;
  }
}

const dateOf = (text: string | null): Date | undefined => (text === null ? undefined : new Date(text));

function expectName(person: string): void {
  const fault = nameFault(person);
  if (fault !== undefined)
    throw new ConfigError('person', { expected: "a person's name", problem: fault, remedy: 'pass another name' });
}

async function forgetExpired(
  rows: PeopleRows,
): Promise<{ readonly forgotten: number; readonly changed: readonly ChangedTemplate[] }> {
  let forgotten = 0;
  const templates: ChangedTemplate[] = [];
  for (const { person, faces } of await rows.expired()) {
    const { removed, changed } = await rows.removeFaces(person, faces, 'expired');
    forgotten += removed;
    if (changed !== undefined) templates.push(changed);
  }
  return { forgotten, changed: templates };
}

async function countOf(query: Query): Promise<GalleryCount> {
  const [row] = await query<GalleryCount>(
    'select count(*)::int as people, coalesce(sum(faces), 0)::int as faces from magface_people',
  );
  return row!;
}
