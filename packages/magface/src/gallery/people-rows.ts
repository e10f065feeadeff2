/** The rows of people and faces, through a vault. All changes run within a transaction. */

import type { Query } from '../database/database.ts';
import { magnitudeOf } from '../quality.ts';
import type {
  Deletion,
  DeletionReason,
  EnrolledFace,
  EnrolOptions,
  GalleryFace,
  ListedPerson,
  StoredFace,
  StoredPerson,
} from './gallery-types.ts';
import type { Vault } from './vault.ts';

/** A person's template as a search has it; undefined once the person is gone. */
export interface ChangedTemplate {
  readonly id: string;
  readonly template: Float32Array | undefined;
}

/** ISO 8601 with seconds, UTC. */
const time = (column: string): string => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`;

/** Embeddings of one picture differ by at most this share of their length; two pictures by far more. */
const samePicture = 1e-3;

/** People per query. */
const page = 500;

interface PersonRow {
  readonly id: string;
  readonly name: string;
  readonly consent: string | null;
}

interface FaceRow extends Omit<StoredFace, 'embedding' | 'face'> {
  readonly id: number | string;
  readonly person: string;
  readonly embedding: string;
}

export class PeopleRows {
  readonly #query: Query;
  readonly #vault: Vault;
  readonly #model: string;

  constructor(query: Query, vault: Vault, model: string) {
    this.#query = query;
    this.#vault = vault;
    this.#model = model;
  }

  async add(
    person: string,
    { embedding, quality = null }: GalleryFace,
    { image, expires, consent, added }: EnrolOptions,
  ): Promise<EnrolledFace & { readonly changed: ChangedTemplate | undefined }> {
    const [vault, id] = [this.#vault, this.#vault.idOf(person)];
    // The row is locked from here on, also if another process adds the same person.
    await this.#query(
      `insert into magface_people (id, model, template, faces, name) values ($1, $2, ${vault.vectorIn(3)}, 0, $4)
       on conflict (id) do nothing`,
      [id, this.#model, vault.sealVector(embedding, ['template', id]), vault.sealText(person, ['name', id])],
    );
    const [row] = await this.#query<{ faces: number; template: string }>(
      `select faces, ${vault.vectorOut('template')} as template from magface_people where id = $1 for update`,
      [id],
    );
    const { faces, template } = row!;
    if (consent !== undefined)
      await this.#query('update magface_people set consent = $2 where id = $1', [
        id,
        vault.sealText(consent, ['consent', id]),
      ]);
    const known = await this.#samePicture(id, embedding);
    if (known !== undefined) return { face: known, faces, known: true, changed: undefined };
    const before = faces === 0 ? undefined : vault.openVector(template, ['template', id]);
    const sum = before === undefined ? embedding : embedding.map((value, d) => value + before[d]!);
    const changed = await this.#setTemplate(id, sum, faces + 1);
    const [face] = await this.#query<{ id: number | string }>(
      `insert into magface_faces (person, model, embedding, quality, length, image, expires, added)
       values ($1, $2, ${vault.vectorIn(3)}, $4, $5, $6, $7::timestamptz, coalesce($8::timestamptz, now())) returning id`,
      [
        ...[id, this.#model, vault.sealVector(embedding, ['embedding', id]), quality, magnitudeOf(embedding)],
        ...[image === undefined ? null : vault.sealText(image, ['image', id])],
        ...[expires?.toISOString() ?? null, added?.toISOString() ?? null],
      ],
    );
    return { face: Number(face!.id), faces: faces + 1, known: false, changed };
  }

  /** @returns the number of the person's face with this embedding; undefined if there is none */
  async #samePicture(id: string, embedding: Float32Array): Promise<number | undefined> {
    const length = magnitudeOf(embedding);
    const near = samePicture * length;
    // Lengths differ by at most as much as the embeddings do.
    const rows = await this.#query<{ id: number | string; embedding: string }>(
      `select id, ${this.#vault.vectorOut('embedding')} as embedding from magface_faces
       where person = $1 and length between $2::float8 and $3::float8 order by id`,
      [id, length - near, length + near],
    );
    const row = rows.find((one) => {
      const other = this.#vault.openVector(one.embedding, ['embedding', id]);
      return Math.sqrt(other.reduce((sum, value, d) => sum + (value - embedding[d]!) ** 2, 0)) <= near;
    });
    return row && Number(row.id);
  }

  async #setTemplate(id: string, template: Float32Array, faces: number): Promise<ChangedTemplate> {
    await this.#query(`update magface_people set template = ${this.#vault.vectorIn(2)}, faces = $3 where id = $1`, [
      id,
      this.#vault.sealVector(template, ['template', id]),
      faces,
    ]);
    return { id, template: this.#vault.indexed(template) };
  }

  /** @returns what the person agreed to; undefined if nobody has that name */
  async find(person: string): Promise<Pick<StoredPerson, 'consent'> | undefined> {
    const id = this.#vault.idOf(person);
    const [row] = await this.#query<Pick<PersonRow, 'consent'>>('select consent from magface_people where id = $1', [
      id,
    ]);
    return row && { consent: row.consent && this.#vault.openText(row.consent, ['consent', id]) };
  }

  /** @returns the person's faces; undefined if nobody has that name */
  async read(person: string): Promise<StoredPerson | undefined> {
    const id = this.#vault.idOf(person);
    const [row] = await this.#query<PersonRow>('select id, name, consent from magface_people where id = $1', [id]);
    if (row === undefined) return undefined;
    const faces = await this.#query<FaceRow>(`${this.#faceRows()} where person = $1 order by id`, [id]);
    return this.#person(row, faces);
  }

  /** @yields everybody, a page of people at a time */
  async *everybody(): AsyncGenerator<StoredPerson> {
    for (let last = '', read = page; read === page; ) {
      const people = await this.#query<PersonRow>(
        `select id, name, consent from magface_people where id > $1 order by id limit ${page}`,
        [last],
      );
      const faces = await this.#query<FaceRow>(`${this.#faceRows()} where person = any($1::text[]) order by id`, [
        people.map(({ id }) => id),
      ]);
      const byPerson = new Map<string, FaceRow[]>(people.map(({ id }) => [id, []]));
      for (const face of faces) byPerson.get(face.person)?.push(face);
      for (const row of people) yield this.#person(row, byPerson.get(row.id)!);
      read = people.length;
      last = people.at(-1)?.id ?? last;
    }
  }

  #faceRows(): string {
    return `select id, person, image, length as magnitude, quality, ${time('added')} as added, ${time('expires')} as expires,
      ${this.#vault.vectorOut('embedding')} as embedding from magface_faces`;
  }

  #person({ id, name, consent }: PersonRow, faces: readonly FaceRow[]): StoredPerson {
    const vault = this.#vault;
    return {
      person: vault.openText(name, ['name', id]),
      consent: consent && vault.openText(consent, ['consent', id]),
      faces: faces.map(({ id: face, person: _, image, embedding, ...rest }) => ({
        face: Number(face),
        image: image && vault.openText(image, ['image', id]),
        ...rest,
        embedding: vault.openVector(embedding, ['embedding', id]),
      })),
    };
  }

  /** @returns everybody, by name */
  async list(): Promise<ListedPerson[]> {
    type Row = Omit<ListedPerson, 'person'> & { id: string; name: string };
    const rows = await this.#query<Row>(
      `select p.id, p.name, p.faces, p.consent, max(f.quality) as quality, ${time('min(f.added)')} as added,
         ${time('min(f.expires)')} as expires
       from magface_people p join magface_faces f on f.person = p.id group by p.id`,
    );
    const people = rows.map(({ id, name, consent, faces, quality, added, expires }) => ({
      person: this.#vault.openText(name, ['name', id]),
      ...{ faces, quality, added, expires },
      consent: consent && this.#vault.openText(consent, ['consent', id]),
    }));
    return people.sort((a, b) => (a.person < b.person ? -1 : 1));
  }

  /** Deletes a person. @returns the number of faces; 0 if nobody has that name */
  async removePerson(person: string): Promise<number> {
    const id = this.#vault.idOf(person);
    const [row] = await this.#query<{ faces: number }>('delete from magface_people where id = $1 returning faces', [
      id,
    ]);
    if (row === undefined) return 0;
    await this.#log(person, row.faces, 'person forgotten');
    return row.faces;
  }

  /**
   * Deletes faces of a person, and the person with the last one.
   *
   * @param reason - for the log; none for faces that move to another name
   * @returns the number of deleted faces, and the template that is left
   */
  async removeFaces(
    person: string,
    faces: readonly number[],
    reason?: DeletionReason,
  ): Promise<{ readonly removed: number; readonly changed: ChangedTemplate | undefined }> {
    const id = this.#vault.idOf(person);
    await this.#query('select from magface_people where id = $1 for update', [id]);
    const gone = await this.#query(
      'delete from magface_faces where person = $1 and id = any($2::bigint[]) returning id',
      [id, faces.map(String)],
    );
    if (gone.length === 0) return { removed: 0, changed: undefined };
    if (reason !== undefined) await this.#log(person, gone.length, reason);
    const left = await this.read(person);
    if (left === undefined || left.faces.length === 0) {
      await this.#query('delete from magface_people where id = $1', [id]);
      return { removed: gone.length, changed: { id, template: undefined } };
    }
    // The sum of what is left: subtracting would keep rounding errors of what is gone.
    const sum = new Float32Array(left.faces[0]!.embedding.length);
    for (const { embedding } of left.faces) for (let d = 0; d < sum.length; d++) sum[d]! += embedding[d]!;
    return { removed: gone.length, changed: await this.#setTemplate(id, sum, left.faces.length) };
  }

  /** @returns the names of the people with faces whose time is over, and the numbers of these */
  async expired(): Promise<{ readonly person: string; readonly faces: readonly number[] }[]> {
    const rows = await this.#query<{ id: string; name: string; faces: (number | string)[] }>(
      `select p.id, p.name, array_agg(f.id) as faces from magface_people p join magface_faces f on f.person = p.id
       where f.expires <= now() group by p.id`,
    );
    return rows.map(({ id, name, faces }) => ({
      person: this.#vault.openText(name, ['name', id]),
      faces: faces.map(Number),
    }));
  }

  async #log(person: string, faces: number, reason: DeletionReason): Promise<void> {
    await this.#query('insert into magface_deletions (person, faces, reason) values ($1, $2, $3)', [
      this.#vault.digestOf(person),
      faces,
      reason,
    ]);
  }

  /** @param person - only entries of this name. @default all */
  async deletions(person?: string): Promise<Deletion[]> {
    return this.#query<Deletion>(
      `select ${time('at')} as at, person, faces, reason from magface_deletions
       where $1::text is null or person = $1 order by magface_deletions.at`,
      [person === undefined ? null : this.#vault.digestOf(person)],
    );
  }
}
