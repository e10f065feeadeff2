/** Reaching the read-only material beside the checkout, for tests that need real faces, photos and models. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe } from 'vitest';

const root = fileURLToPath(new URL('../../../../../shared/', import.meta.url));

/** Absolute path of something in `../shared`, which may be absent: see {@link describeWithShared}. */
export const shared = (path: string): string => root + path;

/** A `describe` that runs where all named parts of `../shared` are, and says by its title why it was skipped elsewhere. */
export function describeWithShared(title: string, parts: readonly string[], body: () => void): void {
  const missing = parts.filter((part) => !existsSync(shared(part)));
  if (missing.length === 0) describe(title, body);
  else describe.skip(`${title} [skipped: ../shared/${missing.join(', ../shared/')} is not on this machine]`, body);
}
