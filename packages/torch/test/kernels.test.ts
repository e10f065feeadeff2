/** The fused loops that older processors take, by the same tests: each in a process that MAGFACE_KERNELS tells. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { isBuilt, processor } from '@magface/torch';
import { expect, test } from 'vitest';
import { describeWithTorch } from './support/with-torch.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const known = ['plain', 'avx2', 'avx512', 'avx512bf16'];

function runTests(
  kernels: string,
  files: readonly string[],
): { readonly status: number | null; readonly text: string } {
  const vitest = fileURLToPath(new URL('../../../node_modules/vitest/vitest.mjs', import.meta.url));
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [vitest, 'run', '--no-isolate', '--maxWorkers=1', ...files],
    {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, MAGFACE_KERNELS: kernels },
    },
  );
  return { status, text: stdout + stderr };
}

describeWithTorch('the fused kernels', () => {
  const own = isBuilt() ? processor().kernels : 'plain';
  const older = known.slice(0, known.indexOf(own));

  test.each(older)('pass the tests of the fused operators as %s', (kernels) => {
    const files = ['autocast', 'convolution', 'fused-batch-norm', 'forward-graph'].map(
      (name) => `packages/torch/test/${name}.test.ts`,
    );
    const { status, text } = runTests(kernels, files);
    expect(status, text).toBe(0);
  });

  test('are rejected if the processor does not support their kind', () => {
    const script =
      "import('@magface/torch').then((torch) => torch.processor()).catch(({ message }) => console.log(message))";
    const { stdout } = spawnSync(
      process.execPath,
      ['--import', 'tsx', '--conditions', 'magface:source', '-e', script],
      {
        cwd: root,
        encoding: 'utf8',
        env: { ...process.env, MAGFACE_KERNELS: 'neon' },
      },
    );
    expect(stdout).toMatch(/expected MAGFACE_KERNELS to be plain, avx2, avx512 or avx512bf16.*but it is neon/);
  });
});
