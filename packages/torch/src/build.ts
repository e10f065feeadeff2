/** Compiles the addon against libtorch, once per version of libtorch and of the sources. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LibtorchError } from './errors.ts';
import { findLibtorch, type Libtorch } from './find-libtorch.ts';

const packageRoot = fileURLToPath(new URL('..', import.meta.url));
const native = join(packageRoot, 'native');

/** Content of `build/current.json`: the addon to load. */
export interface Built {
  /** Path of the addon, relative to the package. */
  readonly addon: string;
  readonly libtorch: string;
  /** Where libtorch was found. */
  readonly from: string;
  /** Folder of its libraries. */
  readonly lib: string;
}

/** Path of the file that holds {@link Built}. */
export const currentFile: string = join(packageRoot, 'build/current.json');

/** Absolute path of a file in the package. */
export const inPackage = (path: string): string => join(packageRoot, path);

/** Finds libtorch and compiles the addon unless it is already built. @returns the addon to load */
export function build(say: (line: string) => void = console.error): Built {
  const libtorch = findLibtorch();
  const folder = `build/${libtorch.version}-${digest(libtorch)}`;
  const built: Built = {
    addon: `${folder}/magface_torch.node`,
    libtorch: libtorch.version,
    from: libtorch.from,
    lib: libtorch.lib,
  };
  if (!existsSync(inPackage(built.addon))) {
    say(`Compiling over libtorch ${libtorch.version}, ${libtorch.from} (about a minute, once) ...`);
    compile(libtorch, inPackage(folder));
  }
  writeFileSync(`${currentFile}.new`, `${JSON.stringify(built, null, 2)}\n`);
  renameSync(`${currentFile}.new`, currentFile);
  return built;
}

/** Hash of everything the build depends on. oneDNN's headers may be installed or removed between builds. */
function digest(libtorch: Libtorch): string {
  const oneDnn = [...libtorch.include, '/usr/include', '/usr/local/include']
    .map((folder) => join(folder, 'oneapi/dnnl/dnnl_version.h'))
    .filter((header) => existsSync(header));
  const hash = createHash('sha256').update(JSON.stringify([libtorch, oneDnn, process.platform, process.arch]));
  for (const file of readdirSync(native, { encoding: 'utf8', recursive: true }).sort()) {
    const path = join(native, file);
    if (statSync(path).isFile()) hash.update(file).update(readFileSync(path));
  }
  return hash.digest('hex').slice(0, 12);
}

function compile(libtorch: Libtorch, folder: string): void {
  const require = createRequire(import.meta.url);
  const nodeInclude = [
    dirname(require.resolve('node-addon-api/package.json')),
    join(dirname(require.resolve('node-api-headers/package.json')), 'include'),
  ];
  mkdirSync(folder, { recursive: true });
  cmake([
    ...['-S', native, '-B', folder],
    `-DLIBTORCH_INCLUDE=${libtorch.include.join(';')}`,
    `-DLIBTORCH_LIB=${libtorch.lib}`,
    `-DLIBTORCH_LIBRARIES=${libtorch.libraries.join(';')}`,
    `-DCXX11_ABI=${libtorch.cxx11Abi ? 1 : 0}`,
    `-DNODE_INCLUDE=${nodeInclude.join(';')}`,
  ]);
  cmake(['--build', folder, '--parallel', process.env['CMAKE_BUILD_PARALLEL_LEVEL'] ?? '2']);
}

function cmake(words: readonly string[]): void {
  const result = spawnSync('cmake', words, { encoding: 'utf8' });
  if (result.error) {
    const fault = {
      expected: 'cmake and a C++20 compiler',
      problem: 'cmake could not be started',
      remedy: 'install them (apt-get install cmake g++)',
    };
    throw new LibtorchError(fault, { cause: result.error });
  }
  if (result.status !== 0) {
    const output = `${result.stdout}${result.stderr}`.trimEnd();
    throw new LibtorchError({
      expected: 'the addon to compile',
      problem: 'cmake failed',
      remedy: `see its output\n${output}`,
    });
  }
}
