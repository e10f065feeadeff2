/** Research faces beside the checkout. Tests run on them where they are, and prove the same rules elsewhere without them. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, test } from 'vitest';

const root = fileURLToPath(new URL('../../../../../shared/', import.meta.url));

/** Absolute path of something in `../shared`. Call it inside {@link describeWithShared} only. */
export const shared = (path: string): string => root + path;

/**
 * A `describe` that runs where all named parts of `../shared` are. Elsewhere its title says what is missing, and the body
 * is not entered.
 */
export function describeWithShared(title: string, parts: readonly string[], body: () => void): void {
  const missing = parts.filter((part) => !existsSync(shared(part)));
  if (missing.length === 0) describe(title, body);
  else {
    const reason = `[skipped: research data, ../shared/${missing.join(', ../shared/')}, are not on this machine]`;
    describe.skip(`${title} ${reason}`, () => test('not run', () => {}));
  }
}
