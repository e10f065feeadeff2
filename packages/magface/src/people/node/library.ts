/** What is known of a photo library: its photos with their embeddings, corrections, and the numbers of people. */
import { z } from 'zod';
import type { DecisionThreshold } from '../../decision.ts';
import { ConfigError } from '../../errors.ts';
import type { Box } from '../../face.ts';
import type { LikelihoodModel } from '../../likelihood-ratio.ts';
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

export const nobody: LibraryPeople = { corrections: noCorrections, numbers: {}, used: 0 };

const finite: z.ZodNumber = z.number();
const pair: z.ZodType<[number, number]> = z.tuple([finite, finite]);

/** What a store reads is checked by these. */
export const modelSchema: z.ZodType<LibraryModel> = z.object({
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
});
export const photoSchema: z.ZodType<LibraryPhoto> = z.object({
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
export const peopleSchema: z.ZodType<LibraryPeople> = z.object({
  corrections: z.object({ names: pairs, joined: pairs, apart: pairs }),
  numbers: z.record(z.string(), z.int()),
  used: z.int(),
});

/** What a store has, when it is opened. */
export interface StoredLibrary {
  /** Undefined before the first photo. */
  readonly model?: LibraryModel;
  /** By digest. */
  readonly photos: Map<string, LibraryPhoto>;
  readonly people: LibraryPeople;
}

/** Keeps a library. Everything is durable once its promise resolves. */
export interface LibraryStore extends AsyncDisposable {
  /** The setting that names it. */
  readonly key: 'state' | 'database';
  readonly stored: StoredLibrary;
  setModel(model: LibraryModel): Promise<void>;
  addPhoto(photo: LibraryPhoto, before: LibraryPhoto | undefined): Promise<void>;
  setPeople(people: LibraryPeople, before: LibraryPeople): Promise<void>;
}

/** A library that is open. */
export interface Library extends AsyncDisposable {
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

/** @param store - is closed with the library; without one, nothing outlasts the run */
export function libraryIn(store: LibraryStore | undefined): Library {
  const { photos, ...stored }: StoredLibrary = store?.stored ?? { photos: new Map(), people: nobody };
  let { model, people } = stored;
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
        throw otherModel(store?.key ?? 'state', model.name, used.name);
      if (JSON.stringify(model) !== JSON.stringify(used)) await store?.setModel(used);
      model = used;
    },
    add: async (photo) => {
      await store?.addPhoto(photo, photos.get(photo.digest));
      photos.set(photo.digest, photo);
    },
    save: async (next) => {
      await store?.setPeople(next, people);
      people = next;
    },
    [Symbol.asyncDispose]: async () => store?.[Symbol.asyncDispose](),
  };
}

/** @param own - the name of the library's model */
export const otherModel = (key: LibraryStore['key'], own: string, used: string): ConfigError =>
  new ConfigError(key, {
    expected: `the model ${own} (whose embeddings the library has)`,
    received: used,
    remedy: `pass --model ${own}, or name another ${key === 'state' ? 'folder' : 'database'}`,
  });
