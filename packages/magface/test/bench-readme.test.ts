import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const bench = fileURLToPath(new URL('../../../bench/', import.meta.url));

test('bench/README.md agrees with the results (written by npx tsx bench/readme.ts)', async () => {
  const { benchReadme } = (await import(`${bench}support/bench-readme.ts`)) as { readonly benchReadme: () => string };
  const page = readFileSync(`${bench}README.md`, 'utf8');
  expect(page).toBe(benchReadme());
  expect(page).not.toMatch(/\| [^|]*\?[^|]* \|/); // a figure that is not where claims.ts looks for it
});
