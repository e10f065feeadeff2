/**
 * Follows the README as a newcomer would, from a clean clone and an empty home, in different environments (cells):
 * `npx tsx bench/newcomer.ts [CELL...]`. Writes bench/results/newcomer-walk.json; cells that are not named keep their last
 * result. Needs a network, libtorch with a compiler and, for two cells, root on Linux.
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeResult } from './support/result.ts';
import { type Cell, cells, type Step } from './support/walk-cells.ts';

const root = fileURLToPath(new URL('../', import.meta.url));
const walk = mkdtempSync(join(tmpdir(), 'newcomer-'));
chmodSync(walk, 0o755);
const newcomer = 'magface-newcomer';

/** Folder of a cell's clone and home; adds no spaces to the path. */
const placeOf = (cell: Cell): string => join(walk, `cell-${cells.indexOf(cell)}`);

interface Walked {
  readonly pass: boolean;
  readonly seconds: number;
  readonly steps: number;
  /** The step that failed, and the end of its output. */
  readonly failed?: string;
}

/** A folder with links to all commands in PATH, except some. */
function pathWithout(names: readonly string[]): string {
  const folder = mkdtempSync(join(walk, 'bin-'));
  for (const place of (process.env['PATH'] ?? '').split(delimiter).filter(existsSync))
    for (const name of readdirSync(place)) {
      const hidden = names.some(
        (other) => name === other || name.startsWith(`${other}-`) || name.endsWith(`-${other}`),
      );
      if (!hidden && !existsSync(join(folder, name))) symlinkSync(join(place, name), join(folder, name));
    }
  return folder;
}

/** Folder of the executables of another Node.js version. */
function nodeOf(specifier: string): string {
  const prefix = join(walk, specifier);
  mkdirSync(prefix);
  // The package `node` would download this with an install script.
  const holder = `node-${process.platform}-${process.arch}`;
  const wanted = specifier.replace(/^node/, holder);
  const { status, stderr } = spawnSync('npm', ['install', '--prefix', prefix, wanted]);
  if (status !== 0) throw new Error(`npm install ${wanted} failed: ${stderr}`);
  return join(prefix, 'node_modules', holder, 'bin');
}

/** A minimal environment, plus this machine's npm settings. */
function environment(cell: Cell, home: string): Record<string, string> {
  const kept = Object.entries(process.env).filter(([key]) =>
    /^(npm_config_|https?_proxy$|no_proxy$|NODE_EXTRA_CA_CERTS$)/i.test(key),
  );
  const path = cell.without ? pathWithout(cell.without) : process.env['PATH']!;
  return {
    ...Object.fromEntries(kept.filter(([, value]) => value !== undefined) as [string, string][]),
    PATH: cell.node === undefined ? path : `${nodeOf(cell.node)}${delimiter}${path}`,
    HOME: home,
    LANG: 'C.UTF-8',
    npm_config_cache: cell.name === 'clean' ? join(home, '.npm') : join(walk, 'npm-cache'),
    npm_config_update_notifier: 'false',
  };
}

/** @returns a description of the failure, or undefined */
function take(
  { line, ends = 0, says }: Step,
  cwd: string,
  env: Record<string, string>,
  cell: Cell,
): string | undefined {
  const shell = ['bash', '-c', line];
  const who =
    cell.notRoot === true
      ? ['setpriv', `--reuid=${newcomer}`, `--regid=${newcomer}`, '--init-groups', ...shell]
      : shell;
  const [command = '', ...words] = cell.noNetwork === true ? ['unshare', '--net', ...who] : who;
  const { status, stdout, stderr } = spawnSync(command, words, {
    cwd,
    env,
    encoding: 'utf8',
    timeout: 900_000,
    maxBuffer: 2 ** 26,
  });
  const said = `${stdout}${stderr}`;
  const wrong =
    status !== ends ? `ended with ${status}, not ${ends}` : says && !says.test(said) ? `did not say ${says}` : '';
  return wrong === '' ? undefined : `${line}: ${wrong}: …${said.trim().slice(-600)}`;
}

function walkCell(cell: Cell): Walked {
  const first = cells.find(({ name }) => name === cell.goesOnFrom) ?? cell;
  const place = placeOf(first);
  const home = join(place, 'home');
  const clone = join(place, first.folder ?? 'magface');
  const env = environment(cell, home);
  if (cell.goesOnFrom === undefined) {
    mkdirSync(home, { recursive: true });
    const settings = join(homedir(), '.npmrc');
    if (existsSync(settings)) copyFileSync(settings, join(home, '.npmrc'));
    spawnSync('git', ['clone', '--quiet', root, clone]);
    mkdirSync(env['npm_config_cache']!, { recursive: true });
  }
  if (cell.notRoot === true) {
    spawnSync('useradd', ['--no-create-home', newcomer]);
    spawnSync('chown', ['-R', newcomer, place, env['npm_config_cache']!]);
  }
  const begin = performance.now();
  let steps = 0;
  let failed: string | undefined;
  for (const step of cell.steps) {
    failed = take(step, clone, env, cell);
    if (failed !== undefined) break;
    steps++;
  }
  const seconds = Math.round((performance.now() - begin) / 1000);
  if (cell.notRoot === true) {
    spawnSync('chown', ['-R', 'root', env['npm_config_cache']!]);
    spawnSync('userdel', [newcomer]);
  }
  return {
    pass: failed === undefined,
    seconds,
    steps,
    ...(failed !== undefined && { failed: failed.replaceAll(walk, '') }),
  };
}

const names = process.argv.slice(2);
const wanted = cells.filter(
  ({ name, goesOnFrom }) => names.length === 0 || names.includes(name) || names.includes(goesOnFrom ?? name),
);
const before = join(root, 'bench/results/newcomer-walk.json');
const last = existsSync(before)
  ? (JSON.parse(readFileSync(before, 'utf8')) as { cells: Record<string, Walked> }).cells
  : {};
const walked: Record<string, Walked> = {};
try {
  for (const cell of wanted) {
    walked[cell.name] = walkCell(cell);
    console.error(`${cell.name}: ${JSON.stringify(walked[cell.name])}`);
    if (!wanted.some(({ goesOnFrom }) => goesOnFrom === cell.name) && cell.goesOnFrom === undefined)
      rmSync(placeOf(cell), { recursive: true, force: true });
  }
} finally {
  rmSync(walk, { recursive: true, force: true });
}
writeResult('newcomer-walk', { cells: { ...last, ...walked } });
process.exitCode = Object.values(walked).every(({ pass }) => pass) ? 0 : 1;
