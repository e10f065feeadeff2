/** What people get from npm: the packed packages, in an empty folder, from TypeScript, JavaScript and the command line. */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'magface packed ')); // with spaces, as people have them
const packages = { magface: 'packages/magface', '@magface/torch': 'packages/torch' };

function run(program: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: folder, encoding: 'utf8' });
  expect(status, `${stdout}${stderr}`).toBe(0);
  return stdout;
}

/** Unpacks what npm would publish and links the packages that it declares, and only those. */
function install(name: string): void {
  const source = join(root, packages[name as keyof typeof packages]);
  const packed = JSON.parse(run('npm', 'pack', source, '--json', '--ignore-scripts')) as readonly {
    filename: string;
  }[];
  const target = join(folder, 'node_modules', name);
  mkdirSync(target, { recursive: true });
  run('tar', '-xzf', packed[0]?.filename ?? '', '-C', target, '--strip-components=1');
  const manifest = JSON.parse(readFileSync(join(target, 'package.json'), 'utf8')) as { dependencies: object };
  for (const dependency of Object.keys(manifest.dependencies)) {
    const nested = join(source, 'node_modules', dependency);
    const link = join(target, 'node_modules', dependency);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(existsSync(nested) ? nested : join(root, 'node_modules', dependency), link);
  }
}

beforeAll(() => {
  writeFileSync(join(folder, 'package.json'), '{ "type": "module", "private": true }');
  install('magface');
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each(Object.values(packages))('%s is packed as publint requires', async (path) => {
  const { messages, pkg } = await publint({ pkgDir: join(root, path), strict: true });
  expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
});

test('no packed module imports TypeScript', () => {
  const dist = join(folder, 'node_modules/magface/dist');
  const files = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.js'));
  expect(files.length).toBeGreaterThan(100);
  const source = /\b(?:import|from)\b[\s(]*['"]\.[^'"]*\.ts['"]/;
  expect(files.filter((name) => source.test(readFileSync(join(dist, name), 'utf8')))).toEqual([]);
});

test('source maps contain the sources that are not packed, and no files of the build', () => {
  const dist = join(folder, 'node_modules/magface/dist');
  const files = readdirSync(dist, { recursive: true, encoding: 'utf8' });
  // A build of some age also holds what was made of files that are gone.
  const made = (name: string): boolean =>
    existsSync(join(root, packages.magface, 'src', name.replace('.js.map', '.ts')));
  const maps = files.filter((name) => name.endsWith('.js.map') && made(name));
  expect(maps.length).toBeGreaterThan(100);
  const carries = (name: string): boolean => {
    const { sources, sourcesContent = [] } = JSON.parse(readFileSync(join(dist, name), 'utf8')) as SourceMap;
    return sources.every((_, at) => typeof sourcesContent[at] === 'string');
  };
  expect(maps.filter((name) => !carries(name))).toEqual([]);
  expect(files.filter((name) => /\.tsbuildinfo$|\.d\.ts\.map$/.test(name))).toEqual([]);
});

interface SourceMap {
  readonly sources: readonly string[];
  readonly sourcesContent?: readonly (string | null)[];
}

test('the library runs from plain JavaScript', () => {
  writeFileSync(
    join(folder, 'plain.js'),
    "import { qualityScore } from 'magface';\nconsole.log(qualityScore(23, { centre: 23, width: 2.6 }));\n",
  );
  expect(run('node', 'plain.js')).toBe('50\n');
  const entries = ['eval', 'formats', 'gallery', 'models'].map((name) => `magface/${name}`);
  const count = 'Object.keys(await import(name)).length';
  writeFileSync(
    join(folder, 'entries.js'),
    `for (const name of ${JSON.stringify(entries)}) console.log(${count} > 2);`,
  );
  expect(run('node', 'entries.js')).toBe('true\n'.repeat(4));
});

test("the library's types pass a strict check with all their imports, without a browser", () => {
  writeFileSync(
    join(folder, 'typed.ts'),
    "import { compare, MagFace, type AnalyzedFace } from 'magface';\n" +
      'export async function same(a: string, b: string): Promise<number> {\n' +
      '  await using magface = await MagFace.load();\n' +
      '  const [x]: readonly AnalyzedFace[] = await magface.analyze(a);\n' +
      '  const [y] = await magface.analyze(b);\n' +
      '  return x && y ? compare(x.embedding, y.embedding) : Number.NaN;\n}\n',
  );
  cpSync(join(root, 'node_modules/@types/node'), join(folder, 'node_modules/@types/node'), { recursive: true });
  symlinkSync(join(root, 'node_modules/undici-types'), join(folder, 'node_modules/undici-types'));
  expect(checkTypes('typed.ts')).toBe('');
});

test('magface/browser brings the types of the DOM, so that a project need not name them', () => {
  writeFileSync(
    join(folder, 'page.ts'),
    "import { MagFace } from 'magface/browser';\n" +
      'export async function best(file: File, canvas: HTMLCanvasElement): Promise<number | undefined> {\n' +
      '  await using magface = await MagFace.load();\n' +
      '  const [face] = [...(await magface.analyze(file)), ...(await magface.analyze(canvas))];\n' +
      '  return face?.quality;\n}\n',
  );
  expect(checkTypes('page.ts')).toBe('');
});

/** As a project of Node's does: without the library of browsers. */
function checkTypes(file: string): string {
  const options = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2022'];
  const libraries = ['--lib', 'es2022,esnext.disposable'];
  return run('node', join(root, 'node_modules/typescript/bin/tsc'), ...options, ...libraries, file);
}

test('the command line runs, and without @magface/torch training says what to install', () => {
  const command = join(folder, 'node_modules/magface/bin/magface.js');
  expect(run('node', command, '--version')).toMatch(/^\d+\.\d+\.\d+\n$/);
  const doctor = (): string => run('node', command, 'doctor', '--json');
  expect(doctor()).toContain('@magface/torch');
  const train = spawnSync('node', [command, 'train', '--train-list', '.', '--output', 'run'], {
    cwd: folder,
    encoding: 'utf8',
  });
  expect(train).toMatchObject({
    status: 2,
    stderr: 'Training needs the package @magface/torch: run npm install @magface/torch, then npx magface-torch.\n',
  });
  install('@magface/torch');
  expect(
    run('node', '--input-type=module', '-e', "import { isBuilt } from '@magface/torch'; console.log(isBuilt())"),
  ).toBe('false\n');
});
