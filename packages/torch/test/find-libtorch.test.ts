import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { findLibtorch, LibtorchError } from '@magface/torch';
import { expect, onTestFinished, test } from 'vitest';

/** A folder that looks like an unpacked libtorch. */
function fakeLibtorch(files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), 'libtorch-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  return root;
}

const extension = process.platform === 'darwin' ? 'dylib' : 'so';
const library = `lib/libtorch_cpu.${extension}`;
const header = 'include/torch/csrc/api/include/torch/version.h';

test('uses LIBTORCH first, with its version, ABI and CUDA libraries', () => {
  const root = fakeLibtorch({
    [library]: '',
    [`lib/libtorch_cuda.${extension}`]: '',
    [header]: '#define TORCH_VERSION_MAJOR 2\n#define TORCH_VERSION_MINOR 4\n#define TORCH_VERSION_PATCH 1\n',
    'share/cmake/Torch/TorchConfig.cmake': 'set(TORCH_CXX_FLAGS "-D_GLIBCXX_USE_CXX11_ABI=0")',
  });
  const found = findLibtorch({ LIBTORCH: root });
  expect(found).toMatchObject({ version: '2.4.1', from: 'LIBTORCH', lib: join(root, 'lib'), cxx11Abi: false });
  expect(found.libraries).toEqual(['torch', 'torch_cpu', 'c10', 'torch_cuda']);
});

test('finds the version where 2.x stores it', () => {
  const root = fakeLibtorch({
    [library]: '',
    [header]: '#include <torch/headeronly/version.h>\n',
    'include/torch/headeronly/version.h':
      '#define TORCH_VERSION_MAJOR 2\n#define TORCH_VERSION_MINOR 14\n#define TORCH_VERSION_PATCH 1\n',
  });
  expect(findLibtorch({ LIBTORCH: root })).toMatchObject({ version: '2.14.1', cxx11Abi: true });
});

test('rejects an invalid LIBTORCH instead of skipping it', () => {
  const root = fakeLibtorch({ 'include/readme': '' });
  expect(() => findLibtorch({ LIBTORCH: root })).toThrow(LibtorchError);
  expect(() => findLibtorch({ LIBTORCH: root })).toThrow(/set LIBTORCH to the unpacked libtorch folder, or unset it/);
});
