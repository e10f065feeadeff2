/** Why a gallery cannot be opened. */
import { expectKnownVersion } from '../database/migration.ts';
import { ConfigError, type ServiceError } from '../errors.ts';
import type { GalleryModel } from './gallery-types.ts';
import { expectOwn, type GalleryState, galleryTables } from './schema.ts';

/** @throws {ConfigError | ServiceError} if the gallery is of another model or newer, or a key is not wanted */
export function expectFit(
  state: GalleryState,
  { model, key }: { readonly model: GalleryModel; readonly key: Buffer | undefined },
): void {
  expectKnownVersion(state.version, galleryTables);
  expectOwn(state, model);
  if (state.protection !== 'none' || key === undefined) return;
  throw new ConfigError('gallery-key', {
    expected: 'a protected gallery with a key',
    problem: 'this one is not protected',
    remedy: 'leave the key out, or copy the gallery with `magface gallery migrate`',
  });
}

export const wrongKey = (): ServiceError | ConfigError =>
  new ConfigError('gallery-key', {
    expected: 'the key of this gallery',
    received: 'another',
    remedy: 'pass its own key',
  });

export const cannotSeal = (): ConfigError =>
  new ConfigError('protect', {
    expected: 'a folder for a sealed gallery',
    received: 'a server, which cannot search sealed templates',
    remedy: 'use --protect turned',
  });

export const tooOld = (name: string): ConfigError =>
  new ConfigError('gallery', {
    expected: `the gallery ${name} in its newest version`,
    problem: 'it is older',
    remedy: 'open it once for writing, with `magface gallery list --gallery`',
  });
