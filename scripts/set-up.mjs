/**
 * All set-up that a clone needs, done only when something changed: dependencies when the lock file did, the build
 * incrementally. Plain JavaScript over Node's own modules, since it runs before anything is installed.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** Runs a command in the project's root; ends this process with its exit code when it fails. */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
    ...options,
  });
  if (result.error) throw result.error;
  if (result.status !== 0) process.exit(result.status ?? 1);
}

const node = (script, ...args) => run(process.execPath, [script, ...args]);

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
  // Data belongs to stdout; npm's own report goes to stderr.
  // Not `npm ci`: it refuses a lock file that lacks other platforms' optional binaries, as one made behind a registry
  // that serves a single platform does. --no-save holds to the lock file's versions and leaves it as it is.
  run('npm', ['install', '--no-save', '--no-fund', '--no-audit', '--loglevel=error'], {
    stdio: ['ignore', 2, 2],
    env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' },
  });
  mkdirSync(`${root}/node_modules`, { recursive: true });
  writeFileSync(stamp, lock);
}

/** The newest change in these folders, in milliseconds. */
const newest = (...folders) =>
  Math.max(
    ...folders.flatMap((folder) =>
      readdirSync(`${root}/${folder}`, { recursive: true }).map(
        (file) => statSync(`${root}/${folder}/${file}`).mtimeMs,
      ),
    ),
  );

/** The page for browsers, when it is older than what it is made of. */
function buildPage() {
  const page = `${root}/packages/magface/dist/page/index.html`;
  const sources = ['browser', 'infer', 'hosting'].map((name) => `packages/magface/src/${name}`);
  if (existsSync(page) && statSync(page).mtimeMs > newest('packages/page/src', 'packages/page/public', ...sources))
    return;
  run('npm', ['run', '--silent', 'build', '-w', '@magface/page', '--', '--logLevel', 'error'], {
    stdio: ['ignore', 2, 2],
  });
}

/** Dependencies and build, in seconds when nothing changed. */
export function setUp() {
  requireNode();
  installDependencies();
  node('node_modules/typescript/bin/tsc', '-b');
  buildPage();
}
