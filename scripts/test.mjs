/** `npm test`: set-up, types, lint and all tests. `npm test -- NAME` runs the test files whose path holds NAME. */
import { run, setUp } from './set-up.mjs';

const given = process.argv.slice(2);
setUp();
// The native addon, where libtorch is or can be had; without it the tests of training say that they are skipped.
run(process.execPath, ['packages/torch/scripts/ensure.mjs']);
if (given.length === 0) run(process.execPath, ['node_modules/@biomejs/biome/bin/biome', 'check', '.']);
run(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...given]);
