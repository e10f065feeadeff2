/**
 * Finds libtorch in one of three places, in this order: the folder that LIBTORCH names, the system's package, and
 * Python's `torch` package. The error lists all three.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LibtorchError } from './errors.ts';

/** A libtorch to build against. */
export interface Libtorch {
  /** Version, such as `1.13.1`. */
  readonly version: string;
  /** Include folders. */
  readonly include: readonly string[];
  /** Folder of shared libraries. */
  readonly lib: string;
  /** Names of the libraries to link, including CUDA's if present. */
  readonly libraries: readonly string[];
  /** Whether it uses the C++11 ABI; the addon must match. */
  readonly cxx11Abi: boolean;
  /** Where it was found, for messages. */
  readonly from: string;
}

const sharedLibrary = (name: string): string =>
  process.platform === 'darwin' ? `lib${name}.dylib` : process.platform === 'win32' ? `${name}.lib` : `lib${name}.so`;

/** @returns the first libtorch found @throws {LibtorchError} if there is none */
export function findLibtorch(environment: NodeJS.ProcessEnv = process.env): Libtorch {
  const named = environment['LIBTORCH'];
  if (named !== undefined && named !== '') {
    const found = inFolder(named, 'LIBTORCH');
    if (found) return found;
    throw new LibtorchError({
      expected: `include/torch and lib/${sharedLibrary('torch_cpu')} in the folder of LIBTORCH`,
      problem: `${named} has none`,
      remedy: 'set LIBTORCH to the unpacked libtorch folder, or unset it',
    });
  }
  const found = inSystem() ?? inPython();
  if (found) return found;
  throw new LibtorchError({
    expected: 'libtorch 1.13 or newer for training',
    problem: 'none was found',
    remedy: [
      'do one of these',
      '  - unpack libtorch from pytorch.org and set LIBTORCH to its folder',
      '  - on Debian or Ubuntu: apt-get install libtorch-dev cmake g++',
      '  - pip install torch, with its python3 first in PATH',
      'then run npx magface-torch',
    ].join('\n'),
  });
}

function inFolder(root: string, from: string): Libtorch | undefined {
  const include = join(root, 'include');
  const api = join(include, 'torch/csrc/api/include');
  return describe(from, join(root, 'lib'), [include, api], join(root, 'share/cmake/Torch/TorchConfig.cmake'));
}

function inSystem(): Libtorch | undefined {
  const triple = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' }[process.arch as string] ?? '';
  for (const prefix of ['/usr', '/usr/local', '/opt/homebrew']) {
    for (const lib of [join(prefix, 'lib', triple), join(prefix, 'lib'), join(prefix, 'lib64')]) {
      const include = [join(prefix, 'include'), join(prefix, 'include/torch/csrc/api/include')];
      const found = describe(`the system's (${prefix})`, lib, include, join(lib, 'cmake/Torch/TorchConfig.cmake'));
      if (found) return found;
    }
  }
  return undefined;
}

function inPython(): Libtorch | undefined {
  const script = 'import importlib.util as u; print(u.find_spec("torch").submodule_search_locations[0])';
  const python = spawnSync('python3', ['-c', script], { encoding: 'utf8' });
  return python.status === 0 ? inFolder(python.stdout.trim(), "Python's torch") : undefined;
}

function describe(from: string, lib: string, include: readonly string[], config: string): Libtorch | undefined {
  const version = versionIn(include);
  if (version === undefined || !existsSync(join(lib, sharedLibrary('torch_cpu')))) return undefined;
  const optional = ['torch_cuda', 'c10_cuda'].filter((name) => existsSync(join(lib, sharedLibrary(name))));
  return {
    version,
    include,
    lib,
    libraries: ['torch', 'torch_cpu', 'c10', ...optional],
    cxx11Abi: !(existsSync(config) && readFileSync(config, 'utf8').includes('_GLIBCXX_USE_CXX11_ABI=0')),
    from,
  };
}

/** libtorch 2.x moved the version macros to the second header, which the first one now includes. */
const versionHeaders = ['torch/version.h', 'torch/headeronly/version.h'];

function versionIn(include: readonly string[]): string | undefined {
  for (const file of include.flatMap((folder) => versionHeaders.map((header) => join(folder, header)))) {
    if (!existsSync(file)) continue;
    const text = readFileSync(file, 'utf8');
    const parts = ['MAJOR', 'MINOR', 'PATCH'].map(
      (name) => new RegExp(`define TORCH_VERSION_${name} (\\d+)`).exec(text)?.[1],
    );
    if (parts.every((part) => part !== undefined)) return parts.join('.');
  }
  return undefined;
}
