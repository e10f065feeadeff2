/** The example of a loop of one's own runs, in the folder where it is started. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { describeTraining } from './golden.ts';
import { smallSet, temporaryFolder } from './small-set.ts';

describeTraining('examples/own-loop.ts', () => {
  test('trains the requested steps and writes a model', () => {
    const root = fileURLToPath(new URL('../../../../', import.meta.url));
    const folder = temporaryFolder();
    const loader = join(root, 'node_modules/tsx/dist/cli.mjs');
    const words = [loader, '-C', 'magface:source', join(root, 'examples/own-loop.ts'), smallSet(2, 3), '2'];
    const { status, stdout, stderr } = spawnSync(process.execPath, words, { cwd: folder, encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^step 1: loss [\d.]+, magnitude [\d.]+\nstep 2: loss [\d.]+, magnitude [\d.]+\n$/);
    expect(existsSync(join(folder, 'own-loop.onnx'))).toBe(true);
  });
});
