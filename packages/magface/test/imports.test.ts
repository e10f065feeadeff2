/** The direction of imports, read from the import lines themselves. docs/design.md has the picture. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../src/', import.meta.url));

/** A folder (or the files at the top, `.`) may import from itself and from these. */
const allowed: Record<string, readonly string[]> = {
  '.': ['infer', 'infer/node', 'models', 'format', 'people', 'people/node', 'video', 'video/node'], // index.ts alone; every other top file is checked below
  format: ['.', 'machine'],
  graph: ['.', 'format', 'settings'],
  'graph/torch': ['.', 'graph'],
  models: ['.', 'format', 'graph', 'machine'],
  infer: ['.', 'models'],
  'infer/torch': ['.', 'infer', 'graph/torch'],
  'infer/node': ['.', 'models', 'graph', 'format', 'infer', 'infer/torch', 'machine'],
  convert: ['.', 'models', 'graph', 'infer', 'infer/node'],
  people: ['.'],
  'people/node': ['.', 'people', 'graph', 'infer/node', 'machine', 'database'],
  database: ['.', 'machine'],
  video: ['.'],
  'video/node': ['.', 'infer', 'infer/node', 'video'],
  degrade: ['.'],
  'degrade/node': ['.', 'degrade'],
  settings: ['.'],
  machine: ['.'],
  runs: ['.', 'format', 'machine'],
  client: [],
  gallery: ['.', 'models', 'graph', 'format', 'infer/node', 'machine', 'database'],
  eval: ['.', 'format', 'models', 'graph', 'infer', 'infer/node', 'people', 'degrade/node', 'machine'],
  report: ['.', 'eval'],
  train: [
    '.',
    'settings',
    'format',
    'models',
    'graph',
    'graph/torch',
    'eval',
    'infer',
    'infer/node',
    'report',
    'degrade',
    'degrade/node',
    'machine',
  ],
  serve: ['.', 'settings', 'models', 'format', 'infer', 'infer/node', 'report', 'hosting', 'gallery', 'machine'],
  browser: ['.', 'models', 'infer', 'people', 'video'],
  hosting: ['.', 'models', 'format', 'machine'],
  cli: [
    '.',
    'database',
    'settings',
    'models',
    'graph',
    'convert',
    'format',
    'infer',
    'infer/node',
    'eval',
    'report',
    'train',
    'serve',
    'gallery',
    'people',
    'people/node',
    'hosting',
    'degrade',
    'degrade/node',
    'machine',
    'runs',
    'video',
    'video/node',
  ],
};

/** What else an entry point may name: models are converted by running them, which the folder itself must not. */
const alsoFromEntry: Record<string, readonly string[]> = { 'models/index.ts': ['convert'] };

/** Files that a browser loads too: they may import nothing that only Node has. */
const sharedWithBrowser = (file: string): boolean =>
  file !== 'index.ts' &&
  (!file.includes('/') || /^((?:infer|degrade|client|people|video)\/[^/]+|browser\/.+)$/.test(file));

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

const sources = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => file.endsWith('.ts'));

const imports: Import[] = sources.flatMap((file) => {
  const text = readFileSync(join(root, file), 'utf8');
  const lines = text.matchAll(/^(?:import|export)\s+(type\s)?[^;]*?from\s+'([^']+)'|import\('([^']+)'\)/gm);
  return [...lines].map((line) => {
    const target = line[2] ?? line[3] ?? '';
    const to = target.startsWith('.')
      ? relative(root, join(root, dirname(file), target)).replaceAll('\\', '/')
      : target;
    return { from: file, to, typeOnly: line[1] !== undefined };
  });
});

const internal = imports.filter((line) => line.to.endsWith('.ts'));
const folderOf = (file: string): string => {
  const folder = dirname(file);
  return folder in allowed ? folder : (folder.split('/')[0] ?? folder);
};

test('every source folder has a place in the order of imports', () => {
  expect(sources.length).toBeGreaterThan(3);
  for (const file of sources) expect(Object.keys(allowed), file).toContain(folderOf(file));
});

test('imports point one way: cli, serve, browser to infer, eval, train to models, these to format and the top files', () => {
  const wrong = internal.filter(({ from, to }) => {
    const [source, target] = [folderOf(from), folderOf(to)];
    if (source === '.' && target !== '.') return from !== 'index.ts';
    return source !== target && ![...(allowed[source] ?? []), ...(alsoFromEntry[from] ?? [])].includes(target);
  });
  expect(wrong).toEqual([]);
});

test('no source imports an entry point, which are for users', () => {
  const entries = /^(eval|format|gallery|models|train|client|browser)\/index\.ts$/;
  expect(internal.filter(({ to }) => to === 'index.ts' || entries.test(to))).toEqual([]);
});

test('only train/ and the two folders named torch import @magface/torch', () => {
  const wrong = imports.filter(
    ({ from, to }) =>
      to.startsWith('@magface/torch') && !['train', 'graph/torch', 'infer/torch'].includes(folderOf(from)),
  );
  expect(wrong).toEqual([]);
});

test('one module loads ONNX Runtime, with its telemetry off', () => {
  const loading = imports.filter(({ to }) => to === 'onnxruntime-node').map(({ from }) => from);
  expect(loading).toEqual(['infer/node/onnx-runtime.ts']);
});

test("nothing that a browser loads imports Node's modules", () => {
  const nodeOnly = /^(node:|sharp$|onnxruntime-node|pacote|@julusian\/|env-paths|tinyglobby)/;
  const wrong = imports.filter(
    ({ from, to, typeOnly }) => sharedWithBrowser(from) && !typeOnly && (nodeOnly.test(to) || to.includes('/node/')),
  );
  expect(wrong).toEqual([]);
});

test('there are no cycles, also of types', () => {
  const edges = new Map<string, string[]>();
  for (const { from, to } of internal) edges.set(from, [...(edges.get(from) ?? []), to]);
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) throw new Error(`Import cycle: ${[...path.slice(path.indexOf(file)), file].join(' -> ')}`);
    if (done.has(file)) return;
    for (const next of edges.get(file) ?? []) visit(next, [...path, file]);
    done.add(file);
  };
  for (const file of sources) visit(file, []);
});

test('the table in docs/design.md is the same', () => {
  const page = readFileSync(join(root, '../../../docs/design.md'), 'utf8');
  const rows = [...page.matchAll(/^\| `([\w/]+)` \| [^|]+ \| ([^|]*)\|$/gm)];
  const told = rows.map(([, folder, names]) => [folder, names!.split(',').map((name) => name.trim())] as const);
  const others = Object.keys(allowed).filter(
    (name) => !['.', 'cli', 'browser', 'client', 'graph/torch', 'infer/torch'].includes(name),
  );
  expect(told).toHaveLength(Object.keys(allowed).length - 1);
  for (const [folder, names] of told) {
    const said = names[0] === 'all but browser and client' ? others : names.filter(Boolean);
    expect(said.toSorted(), folder).toEqual(allowed[folder!]?.filter((name) => name !== '.').toSorted());
  }
});

// TypeScript 5.9 forgets to rewrite a dynamic import beside `await using` in one function.
test('what is built imports no TypeScript', () => {
  const built = fileURLToPath(new URL('../dist/', import.meta.url));
  const files = readdirSync(built, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.js'));
  expect(files.length).toBeGreaterThan(100);
  const wrong = files.filter((file) =>
    /(?:from|import\()\s*['"]\.[^'"]*\.ts['"]/.test(readFileSync(join(built, file), 'utf8')),
  );
  expect(wrong).toEqual([]);
});
