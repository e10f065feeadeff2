/**
 * Reference faces of the quality scale: people 1 to 50 of CFP, frontal and turned, and their frontal faces damaged. People 51 to
 * 100 are for tests.
 */
import { join } from 'node:path';
import { damages } from '../../packages/magface/src/degrade/damage.ts';
import type { AnalyzedFace } from '../../packages/magface/src/face.ts';
import type { MagFace } from '../../packages/magface/src/infer/node/magface.ts';
import type { ImageSize, Pixels } from '../../packages/magface/src/pixels.ts';

/** A face as it came from a photo, or a damaged one. */
export interface ReferenceFace {
  readonly person: number;
  readonly kind: 'frontal' | 'profile' | keyof typeof damages;
  readonly magnitude: number;
  readonly embedding: Float32Array;
}

/** A face of a photo. */
export type PhotoFace = ReferenceFace & { readonly face: AnalyzedFace; readonly image: ImageSize };

export const people: readonly number[] = Array.from({ length: 50 }, (_, i) => i + 1);

const counts = { frontal: 10, profile: 4 } as const;
const two = (number: number, digits = 2): string => `${number}`.padStart(digits, '0');

/** A photo of the set. */
export interface ReferencePhoto {
  readonly person: number;
  readonly kind: 'frontal' | 'profile';
  readonly path: string;
}

/** @param folder - of CFP */
export function photosOf(folder: string, of: readonly number[]): ReferencePhoto[] {
  return of.flatMap((person) =>
    (['frontal', 'profile'] as const).flatMap((kind) =>
      Array.from({ length: counts[kind] }, (_, i) => ({
        person,
        kind,
        path: join(folder, `${two(person, 3)}/${kind}/${two(i + 1)}.jpg`),
      })),
    ),
  );
}

/** The largest face of each photo. */
export async function photoFaces(
  magface: MagFace,
  folder: string,
  of: readonly number[] = people,
): Promise<PhotoFace[]> {
  const photos = photosOf(folder, of);
  const found: PhotoFace[] = [];
  for await (const result of magface.stream(photos.map(({ path }) => path))) {
    if (result.error !== undefined) throw result.error;
    const { index, image } = result;
    const [face] = result.faces;
    const { person, kind } = photos[index]!;
    if (face === undefined) continue;
    found.push({ person, kind, magnitude: face.magnitude, embedding: face.embedding, face, image });
  }
  return found;
}

/** Embeds aligned faces. */
export async function embedded(magface: MagFace, crops: readonly Pixels[]): Promise<AnalyzedFace[]> {
  const found: AnalyzedFace[] = [];
  for await (const { faces, error } of magface.stream(crops, { aligned: true })) {
    if (error !== undefined) throw error;
    found.push(faces[0]!);
  }
  return found;
}

/** Beyond this strength most faces cannot be recognised at all. */
const worst = 0.6;

/** Each frontal face once, with a kind and strength of damage that its number determines. */
export async function damagedFaces(magface: MagFace, faces: readonly PhotoFace[]): Promise<ReferenceFace[]> {
  const kinds = Object.keys(damages) as (keyof typeof damages)[];
  const frontal = faces.filter(({ kind }) => kind === 'frontal');
  const drawn = frontal.map(({ face }, i) => {
    const kind = kinds[i % kinds.length]!;
    const strength = worst * ((i * 0.6180339887498949) % 1); // multiples of the golden ratio fill the range evenly
    return { kind, crop: damages[kind].apply(face.crop, strength, i) };
  });
  const found = await embedded(
    magface,
    drawn.map(({ crop }) => crop),
  );
  return found.map(({ magnitude, embedding }, i) => ({
    person: frontal[i]!.person,
    kind: drawn[i]!.kind,
    magnitude,
    embedding,
  }));
}
