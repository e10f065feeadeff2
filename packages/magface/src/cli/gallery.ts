/** Opens a command's gallery. */
import { InvalidArgumentError } from 'commander';
import type { Gallery, GalleryOptions } from '../gallery/gallery.ts';
import type { LoadedModel } from '../models/load-model.ts';
import type { ConfigOf } from '../settings/setting.ts';
import type { Context } from './context.ts';

/** The gallery of a command that needs one. */
export const gallerySettings = {
  gallery: {
    group: 'Gallery:',
    takes: 'text',
    value: '<where>',
    says: 'the gallery: a folder, or postgres://... with pgvector',
    required: true,
  },
  galleryKey: {
    group: 'Gallery:',
    takes: 'text',
    value: '<file>',
    says: 'key of a protected gallery, 64 hexadecimal digits',
    otherwise: 'MAGFACE_GALLERY_KEY',
  },
} as const;

/** How a new gallery with a key is protected. */
export const protectSettings = {
  protect: {
    group: 'Gallery:',
    takes: 'choice',
    choices: ['sealed', 'turned'],
    value: '<way>',
    says: 'seal embeddings with the key, or turn them so that PostgreSQL can search',
    otherwise: 'sealed in a folder, turned on a server',
  },
} as const;

export type GalleryFlags = ConfigOf<typeof gallerySettings>;

const day = 24 * 60 * 60 * 1000;
const units = { d: day, w: 7 * day, y: 365 * day } as const;

/** Parses `--retain`. @returns milliseconds */
export function period(text: string): number {
  const [, count, unit] = /^([1-9]\d{0,5})([dwy])$/.exec(text) ?? [];
  if (count === undefined) throw new InvalidArgumentError('Expected a time such as 90d, 12w or 2y.');
  return Number(count) * units[unit as keyof typeof units];
}

/** Runs before a model loads. @throws {ConfigError} if the folder has no gallery */
export async function expectGallery(where: string): Promise<void> {
  const { expectDatabase } = await import('../database/database.ts');
  const { asGallery } = await import('../gallery/schema.ts');
  expectDatabase(where, asGallery);
}

/** Runs before a model loads. @throws {ConfigError} if the folder holds files that are not a gallery */
export async function expectGalleryRoom(where: string): Promise<void> {
  const { expectRoom } = await import('../database/database.ts');
  const { asGallery } = await import('../gallery/schema.ts');
  await expectRoom(where, asGallery);
}

/** @returns the key of `--gallery-key`, else of the environment; undefined without one */
export async function galleryKey(file: string | undefined, { env }: Pick<Context, 'env'>): Promise<Buffer | undefined> {
  const { keyVariable, parseGalleryKey, readGalleryKey } = await import('../gallery/gallery-key.ts');
  if (file !== undefined) return readGalleryKey(file);
  const text = env[keyVariable];
  return text === undefined || text === '' ? undefined : parseGalleryKey(text, keyVariable);
}

/**
 * @param where - as given by the user
 * @throws {ServiceError} `wrong_model` if it belongs to another model
 */
export async function openGallery(
  where: string,
  model: Pick<LoadedModel<'recogniser'>, 'name' | 'digest' | 'contract'>,
  options: GalleryOptions = {},
): Promise<Gallery> {
  const { openGallery: open } = await import('../gallery/open-gallery.ts');
  return open(where, model, options);
}
