/**
 * Tries the packed package in other runtimes than Node, each from npm, in an empty folder: `npx tsx bench/runtimes.ts`.
 * Library and command must give Node's numbers. Writes bench/results/runtimes.json. Needs a network.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { samplePhoto } from '../packages/magface/test/support/sample-photos.ts';
import { writeResult } from './support/result.ts';

const root = fileURLToPath(new URL('../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'magface runtimes '));
const project = join(folder, 'project');
const photos = ([1, 2, 3, 4, 5, 6] as const).map(samplePhoto);

/** Package of npm, and the words that run a program in it. */
const runtimes: Readonly<Record<string, { readonly words: readonly string[]; readonly env?: NodeJS.ProcessEnv }>> = {
  bun: { words: ['--bun'] },
  deno: { words: ['run', '--allow-read', '--allow-write', '--allow-env', '--allow-ffi', '--allow-sys'] },
  electron: { words: [], env: { ELECTRON_RUN_AS_NODE: '1' } },
};

function run(program: string, words: readonly string[], env?: NodeJS.ProcessEnv, cwd = project) {
  const options = { cwd, encoding: 'utf8', timeout: 300_000, maxBuffer: 2 ** 26 } as const;
  // Runtimes are set up by their install scripts, which npx turns off here; onnxruntime-node's would fetch CUDA from elsewhere.
  const scripts = { npm_config_ignore_scripts: 'false', ONNXRUNTIME_NODE_INSTALL: 'skip' };
  const more = { ...scripts, OMP_NUM_THREADS: '1', ...env };
  return spawnSync(program, words, { ...options, env: { ...process.env, ...more } });
}

function npm(cwd: string, ...words: readonly string[]): void {
  mkdirSync(cwd, { recursive: true });
  const { status, stderr } = run('npm', words, undefined, cwd);
  if (status !== 0) throw new Error(`npm ${words[0]} failed: ${/\bE[A-Z]{5,}\b/.exec(stderr)?.[0] ?? status}`);
}

interface Outcome {
  readonly status: number | null;
  /** The JSON on stdout; undefined if there is none. */
  readonly printed: unknown;
  readonly stderr: string;
}

type Programs = Readonly<Record<'library' | 'command' | 'missing' | 'doctor', Outcome>>;

/** Runs the library's trial and the commands. */
function tryIn(program: string, words: readonly string[], env?: NodeJS.ProcessEnv): Programs {
  const one = (...args: readonly string[]): Outcome => {
    const { status, stdout, stderr } = run(program, [...words, ...args], env);
    return { status, printed: stdout === '' ? undefined : JSON.parse(stdout), stderr };
  };
  const magface = join(project, 'node_modules/magface/bin/magface.js');
  return {
    library: one('trial.mjs', ...photos),
    command: one(magface, 'quality', photos[0]!, '--json'),
    missing: one(magface, 'quality', 'missing.jpg', '--json'),
    doctor: one(magface, 'doctor', '--json'),
  };
}

/** @returns the largest relative difference of two numbers at the same place; infinite if anything else differs */
function difference(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a === b ? 0 : Math.abs(a - b) / Math.abs(a);
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null)
    return a === b ? 0 : Number.POSITIVE_INFINITY;
  if (Object.keys(a).join() !== Object.keys(b).join()) return Number.POSITIVE_INFINITY;
  return Math.max(0, ...Object.entries(a).map(([key, one]) => difference(one, b[key as keyof typeof b])));
}

function compared(found: Programs, node: Programs) {
  const { runtime, node: claimed } = found.doctor.printed as { runtime: string; node: string };
  const parts = (['library', 'command', 'missing'] as const).map((part) => {
    const { status, printed, stderr } = found[part];
    const far = difference(printed, node[part].printed);
    const works = status === node[part].status && far <= 1e-4;
    return [part, works ? { works, relativeDifference: far } : { works, status, stderr: stderr.slice(-400) }] as const;
  });
  return { runtime, claimsNode: claimed, pass: parts.every(([, { works }]) => works), ...Object.fromEntries(parts) };
}

const results: Record<string, { readonly pass: boolean }> = {};
try {
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{ "type": "module", "private": true }');
  copyFileSync(new URL('./support/runtime-trial.mjs', import.meta.url), join(project, 'trial.mjs'));
  npm(project, 'pack', join(root, 'packages/magface'), '--ignore-scripts');
  const { version } = JSON.parse(readFileSync(join(root, 'packages/magface/package.json'), 'utf8')) as PackageVersion;
  npm(project, 'install', `./magface-${version}.tgz`);
  const node = tryIn(process.execPath, []);
  results['node'] = compared(node, node);
  for (const [name, { words, env }] of Object.entries(runtimes)) {
    const place = join(folder, name);
    try {
      npm(place, 'install', name);
      results[name] = compared(tryIn(join(place, 'node_modules/.bin', name), words, env), node);
    } catch (error) {
      results[name] = { pass: false, ...{ problem: String(error) } };
    }
    console.error(`${name}: ${JSON.stringify(results[name])}`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
writeResult('runtimes', { photos: photos.length, runtimes: results });

interface PackageVersion {
  readonly version: string;
}
