/** Tests that start programs or open pages use what was built from these sources, however vitest was started. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const filesOf = (folder: string, ending: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith(ending));

test.each(['packages/magface', 'packages/torch'])('%s/dist is compiled from the current sources', (folder) => {
  const sources = filesOf(`${folder}/src`, '.ts').filter((name) => !name.endsWith('.d.ts'));
  expect(sources.length).toBeGreaterThan(10);
  const stale = sources.filter((name) => {
    const map = join(root, folder, 'dist', name.replace(/\.ts$/, '.js.map'));
    const { sources: paths, sourcesContent = [] } = JSON.parse(readFileSync(map, 'utf8')) as SourceMap;
    const source = join(root, folder, 'src', name);
    const at = paths.findIndex((path) => resolve(dirname(map), path) === source);
    return sourcesContent[at] !== readFileSync(source, 'utf8');
  });
  expect(stale).toEqual([]);
});

test('the page is newer than its sources', () => {
  const built = statSync(join(root, 'packages/magface/dist/page/index.html')).mtimeMs;
  const newest = Math.max(
    ...filesOf('packages/page/src', '').map((name) => statSync(join(root, 'packages/page/src', name)).mtimeMs),
  );
  expect(built).toBeGreaterThan(newest);
});

interface SourceMap {
  readonly sources: readonly string[];
  readonly sourcesContent?: readonly (string | null)[];
}
