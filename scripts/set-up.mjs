/**
 * Sets up a clone: installs dependencies if the lock file changed, and builds incrementally. Plain JavaScript with Node's
 * modules only, because it runs before anything is installed.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** Runs a command in the project's root. @returns its exit code */
function exitCodeOf(command, args, options = {}) {
  const result = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
    ...options,
  });
  if (result.error) throw result.error;
  return result.status ?? 1;
}

/** Runs a command in the project's root; exits with its exit code if it fails. */
export function run(command, args, options = {}) {
  const code = exitCodeOf(command, args, options);
  if (code !== 0) process.exit(code);
}

function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  console.error(
    `MagFace needs Node.js 20.19 or newer to be built but this is ${process.versions.node}: install it from nodejs.org.`,
  );
  process.exit(2);
}

function installDependencies() {
  const lock = createHash('sha256')
    .update(readFileSync(`${root}/package-lock.json`))
    .digest('hex');
  const stamp = `${root}/node_modules/.magface-lock`;
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  console.error('Installing dependencies (once) ...');
  // stdout is for data, so npm's report goes to stderr.
  // Not `npm ci`, which rejects a lock file without the optional binaries of other platforms; a registry that serves one
  // platform produces such files. --no-save uses the lock file's versions and leaves the file unchanged.
  run('npm', ['install', '--no-save', '--no-fund', '--no-audit', '--loglevel=error'], {
    stdio: ['ignore', 2, 2],
    env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' },
  });
  mkdirSync(`${root}/node_modules`, { recursive: true });
  writeFileSync(stamp, lock);
}

/** Time of the newest change in these files and folders, in milliseconds. */
function newest(...paths) {
  const times = paths.flatMap((path) => {
    const all = statSync(`${root}/${path}`).isDirectory() ? readdirSync(`${root}/${path}`, { recursive: true }) : [];
    return [path, ...all.map((name) => `${path}/${name}`)].map((one) => statSync(`${root}/${one}`).mtimeMs);
  });
  return Math.max(...times);
}

/** Folders of `packages/magface/src` that the page does not import. */
const notOnPages = ['cli', 'client', 'degrade', 'eval', 'format', 'gallery', 'serve', 'settings', 'train'];

/** Builds the page if it is older than its sources. @returns whether it exists */
function buildPage() {
  const [page, rules] = [`${root}/packages/magface/dist/page/index.html`, 'packages/magface/src'];
  const parts = readdirSync(`${root}/${rules}`).filter((name) => !notOnPages.includes(name));
  const own = ['index.html', 'vite.config.ts', 'src', 'public'].map((name) => `packages/page/${name}`);
  const made = newest(...own, ...parts.map((name) => `${rules}/${name}`));
  if (existsSync(page) && statSync(page).mtimeMs > made) return true;
  const words = ['run', '--silent', 'build', '-w', '@magface/page', '--', '--logLevel', 'error'];
  return exitCodeOf('npm', words, { stdio: ['ignore', 2, 2] }) === 0;
}

/** Compiles what changed and builds the page. @returns whether that succeeded */
export const build = () => exitCodeOf(process.execPath, ['node_modules/typescript/bin/tsc', '-b']) === 0 && buildPage();

/** Installs dependencies and builds; takes seconds if nothing changed. */
export function setUp() {
  requireNode();
  installDependencies();
  if (!build()) process.exit(1);
}
