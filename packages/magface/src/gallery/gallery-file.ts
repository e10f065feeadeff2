/**
 * A gallery as lines of JSON: first the model, then a line per person with all faces. The file is not protected, also if the
 * gallery is.
 */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { FormatError, ServiceError } from '../errors.ts';
import { floatsOfBytes, floatText } from '../format/float-text.ts';
import type { Gallery } from './gallery.ts';
import type { EnrolOptions, GalleryFace, StoredFace, StoredPerson } from './gallery-types.ts';

/** One face in a file, or in an answer about a person. */
export interface ExportedFace extends Omit<StoredFace, 'embedding'> {
  /** Little-endian float32 in base64. */
  readonly embedding: string;
}

/** One person in a file, or in an answer about them. */
export interface ExportedPerson extends Omit<StoredPerson, 'faces'> {
  readonly faces: readonly ExportedFace[];
}

const header = z.object({
  format: z.literal('magface-gallery'),
  version: z.literal(1),
  model: z.object({ name: z.string(), digest: z.string(), embeddingLength: z.int().positive() }),
});

const exportedPerson: z.ZodType<ExportedPerson> = z.object({
  person: z.string(),
  consent: z.string().nullable(),
  faces: z.array(
    z.object({
      face: z.int(),
      image: z.string().nullable(),
      magnitude: z.number(),
      quality: z.number().nullable(),
      added: z.string(),
      expires: z.string().nullable(),
      embedding: z.base64(),
    }),
  ),
});

/** @returns the person with embeddings as text */
export const exported = ({ faces, ...person }: StoredPerson): ExportedPerson => ({
  ...person,
  faces: faces.map(({ embedding, ...face }) => ({
    ...face,
    embedding: floatText(embedding),
  })),
});

/**
 * @param person - only this person. @default everybody
 * @yields the lines of a file, without line ends
 * @throws {ServiceError} `not_found` if nobody has that name
 */
export async function* exportLines(gallery: Gallery, person?: string): AsyncGenerator<string> {
  yield JSON.stringify({ format: 'magface-gallery', version: 1, model: gallery.model });
  if (person === undefined) {
    for await (const stored of gallery.everybody()) yield JSON.stringify(exported(stored));
    return;
  }
  const stored = await gallery.read(person);
  if (stored === undefined) throw unknownPerson(person);
  yield JSON.stringify(exported(stored));
}

/** @param person - as the user wrote it */
export const unknownPerson = (person: string): ServiceError =>
  new ServiceError('not_found', {
    expected: 'a person in the gallery',
    problem: `${person} is not in it`,
    remedy: 'check the name',
  });

/** Result of copying people into a gallery. */
export interface CopiedPeople {
  readonly people: number;
  readonly faces: number;
  /** Faces that the gallery already had. */
  readonly known: number;
}

/**
 * Adds people to a gallery with their numbers of quality, dates, consent and image names; faces get new numbers.
 *
 * @throws {ConfigError} if a name is not valid
 */
export async function copyPeople(
  people: AsyncIterable<StoredPerson>,
  gallery: Pick<Gallery, 'enrol'>,
): Promise<CopiedPeople> {
  let [count, faces, known] = [0, 0, 0];
  for await (const { person, consent, faces: stored } of people) {
    count++;
    for (const face of stored) {
      const enrolled = await gallery.enrol(person, face as GalleryFace, recordOf(face, consent));
      if (enrolled.known) known++;
      else faces++;
    }
  }
  return { people: count, faces, known };
}

const recordOf = ({ image, added, expires }: StoredFace, consent: string | null): EnrolOptions => ({
  image: image ?? undefined,
  consent: consent ?? undefined,
  added: new Date(added),
  expires: expires === null ? undefined : new Date(expires),
});

/**
 * Reads a file of {@link exportLines}.
 *
 * @throws {FormatError} if it is none
 * @throws {ServiceError} `wrong_model` if its embeddings are of another model
 */
export async function* readGalleryFile(file: string, { model }: Pick<Gallery, 'model'>): AsyncGenerator<StoredPerson> {
  let number = 0;
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
    number++;
    if (number === 1) {
      const { digest, name } = parsed(header, line, { file, number }).model;
      if (digest === model.digest) continue;
      throw new ServiceError('wrong_model', {
        expected: `people of the gallery's model ${model.name}`,
        problem: `${file} has embeddings of ${name}`,
        remedy: 'enrol their photos again',
      });
    }
    const { faces, ...person } = parsed(exportedPerson, line, { file, number });
    yield {
      ...person,
      faces: faces.map((face) => ({
        ...face,
        embedding: floatsOf(face.embedding, model.embeddingLength, { file, number }),
      })),
    };
  }
  if (number === 0) throw notOurs(file, 1);
}

interface Line {
  readonly file: string;
  readonly number: number;
}

const notOurs = (file: string, number: number, cause?: unknown): FormatError =>
  new FormatError(
    file,
    {
      expected: 'a file of `magface gallery export`',
      problem: `line ${number} has another form`,
      remedy: 'export the gallery again',
    },
    { cause },
  );

function parsed<Value>(schema: z.ZodType<Value>, line: string, { file, number }: Line): Value {
  try {
    return schema.parse(JSON.parse(line));
  } catch (cause) {
    throw notOurs(file, number, cause);
  }
}

function floatsOf(text: string, dimension: number, { file, number }: Line): Float32Array {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length !== 4 * dimension) throw notOurs(file, number);
  return floatsOfBytes(bytes);
}
