/**
 * What is known of a library's photos, in a folder: `photos.jsonl` has a line per photo and grows while photos are embedded, so
 * that a killed run loses nothing but the photo at hand; `people.json` has corrections and numbers.
 */
import { appendFile, open, readFile, rename, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { DecisionThreshold } from '../../decision.ts';
import { ConfigError, FormatError } from '../../errors.ts';
import type { Box } from '../../face.ts';
import type { LikelihoodModel } from '../../likelihood-ratio.ts';
import { type FolderLock, lockFolder } from '../../machine/folder-lock.ts';
import { makeFolder } from '../../machine/make-folder.ts';
import { type AllCorrections, noCorrections } from '../correct.ts';
import type { FacePair } from '../corrections.ts';

/** The model of the embeddings. */
export interface LibraryModel {
  readonly name: string;
  readonly digest: string;
  readonly thresholds: readonly DecisionThreshold[];
  /** Absent in the files of older versions, and if the model's record has none. */
  readonly likelihood?: LikelihoodModel | undefined;
}

/** A photo and its faces, the largest first. */
export interface LibraryPhoto {
  /** SHA-256 of the file. */
  readonly digest: string;
  /** Absolute. */
  readonly path: string;
  readonly bytes: number;
  /** Time of the last change, in milliseconds. */
  readonly changed: number;
  readonly faces: readonly {
    readonly box: Box;
    readonly quality: number | null;
    /** float32, little-endian, in base64. */
    readonly embedding: string;
  }[];
}

/** Corrections, and the numbers of people. */
export interface LibraryPeople {
  readonly corrections: AllCorrections;
  /** The person of each face. */
  readonly numbers: Readonly<Record<string, number>>;
  /** The highest number so far. */
  readonly used: number;
}

const finite: z.ZodNumber = z.number();
const pair: z.ZodType<[number, number]> = z.tuple([finite, finite]);
const modelSchema: z.ZodType<{ readonly model: LibraryModel }> = z.object({
  model: z.object({
    name: z.string(),
    digest: z.string(),
    thresholds: z.array(z.object({ fmr: finite.positive(), threshold: finite, interval: pair.optional() })),
    likelihood: z
      .object({
        weights: z.tuple([finite, finite, finite, finite]),
        covariance: z.array(finite),
        ...{ magnitudes: pair, ratios: pair, agreement: pair.optional() },
        common: z.base64().optional(),
        source: z.string(),
      })
      .optional(),
  }),
});
const photoSchema: z.ZodType<LibraryPhoto> = z.object({
  digest: z.string(),
  path: z.string(),
  bytes: finite,
  changed: finite,
  faces: z.array(
    z.object({
      box: z.object({ x: finite, y: finite, width: finite, height: finite }),
      quality: finite.nullable(),
      embedding: z.base64(),
    }),
  ),
});
const pairs: z.ZodType<FacePair[]> = z.array(z.tuple([z.string(), z.string()]));
const peopleSchema: z.ZodType<LibraryPeople> = z.object({
  corrections: z.object({ names: pairs, joined: pairs, apart: pairs }),
  numbers: z.record(z.string(), z.int()),
  used: z.int(),
});

/** A library's file. Without a folder, nothing outlasts the run. */
export interface LibraryFile extends AsyncDisposable {
  /** Undefined before the first photo. */
  readonly model: LibraryModel | undefined;
  /** By digest. */
  readonly photos: ReadonlyMap<string, LibraryPhoto>;
  readonly people: LibraryPeople;
  /** @throws {ConfigError} if the library belongs to another model */
  use(model: LibraryModel): Promise<void>;
  /** Adds a photo, or its new place. */
  add(photo: LibraryPhoto): Promise<void>;
  save(people: LibraryPeople): Promise<void>;
}

const purpose = {
  key: 'state',
  what: 'the library',
  use: 'sorts it',
  remedy: 'wait until it is done, or name another folder',
} as const;

/**
 * @param folder - is made if missing
 * @throws {ConfigError} if another process has it
 * @throws {FormatError} if its files are damaged
 */
export async function openLibrary(folder: string | undefined): Promise<LibraryFile> {
  if (folder === undefined) return library({ photos: new Map(), people: nobody }, undefined);
  await makeFolder(folder);
  const lock = await lockFolder(folder, purpose, { thread: true });
  try {
    const { model, photos } = await readPhotos(join(folder, 'photos.jsonl'));
    const people = await readPeople(join(folder, 'people.json'));
    return library({ ...(model && { model }), photos, people }, { folder, lock });
  } catch (error) {
    await lock.release();
    throw error;
  }
}

const nobody: LibraryPeople = { corrections: noCorrections, numbers: {}, used: 0 };

interface Known {
  readonly model?: LibraryModel;
  readonly photos: Map<string, LibraryPhoto>;
  readonly people: LibraryPeople;
}

function library(known: Known, place: { readonly folder: string; readonly lock: FolderLock } | undefined): LibraryFile {
  let { model, people } = known;
  const { photos } = known;
  const append = async (entry: unknown): Promise<void> => {
    place?.lock.expectHeld();
    if (place !== undefined) await appendFile(join(place.folder, 'photos.jsonl'), `${JSON.stringify(entry)}\n`);
  };
  return {
    get model() {
      return model;
    },
    get people() {
      return people;
    },
    photos,
    use: async (used) => {
      if (model !== undefined && model.digest !== used.digest)
        throw new ConfigError('state', {
          expected: `the model ${model.name} (whose embeddings the library has)`,
          received: used.name,
          remedy: `pass --model ${model.name}, or name another folder`,
        });
      if (JSON.stringify(model) !== JSON.stringify(used)) await append({ model: used });
      model = used;
    },
    add: async (photo) => {
      await append(photo);
      photos.set(photo.digest, photo);
    },
    save: async (next) => {
      people = next;
      if (place === undefined) return;
      place.lock.expectHeld();
      const file = join(place.folder, 'people.json');
      await writeFile(`${file}.part`, JSON.stringify(next));
      await rename(`${file}.part`, file);
    },
    [Symbol.asyncDispose]: async () => place?.lock.release(),
  };
}

/** Cuts off a last line that a killed run left unfinished. */
async function readPhotos(file: string): Promise<Pick<Known, 'model' | 'photos'>> {
  const photos = new Map<string, LibraryPhoto>();
  let model: LibraryModel | undefined;
  const handle = await open(file).catch(ifMissing);
  if (handle === undefined) return { photos };
  let [lines, complete] = [0, 0];
  const { size } = await handle.stat();
  for await (const text of handle.readLines()) {
    const end = complete + Buffer.byteLength(text) + 1;
    if (end > size) break; // no line end
    complete = end;
    const entry = parsed(z.union([photoSchema, modelSchema]), text, { file, part: `line ${++lines}` });
    if ('model' in entry) model = entry.model;
    else photos.set(entry.digest, entry);
  }
  if (complete < size) await truncate(file, complete);
  return { ...(model && { model }), photos };
}

async function readPeople(file: string): Promise<LibraryPeople> {
  const text = await readFile(file, 'utf8').catch(ifMissing);
  return text === undefined ? nobody : parsed(peopleSchema, text, { file, part: 'people' });
}

function ifMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

function parsed<T>(schema: z.ZodType<T>, text: string, where: { readonly file: string; readonly part: string }): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    const { file, part } = where;
    throw new FormatError(
      file,
      {
        expected: 'what `magface people` wrote',
        problem: `${part} is damaged`,
        remedy: 'delete the file and group the photos again',
      },
      { cause },
    );
  }
}
