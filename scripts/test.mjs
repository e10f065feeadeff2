/**
 * `npm test`: set-up, types, lint and all tests. `npm test -- NAME` runs the test files whose path contains NAME.
 * `npm run test:quick`: types, lint and the fast tests of the last change.
 */
import { spawnSync } from 'node:child_process';
import { root, run, setUp } from './set-up.mjs';
import { installTestTools } from './test-tools.mjs';

const vitest = (...words) => run(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...words]);
const lint = () => run(process.execPath, ['node_modules/@biomejs/biome/bin/biome', 'check', '.']);
const isClean = () => spawnSync('git', ['status', '--porcelain'], { cwd: root, encoding: 'utf8' }).stdout === '';

const given = process.argv.slice(2);
setUp();
process.env.MAGFACE_BUILT = 'true';
if (given[0] === '--quick') {
  lint();
  process.env.MAGFACE_QUICK = 'true';
  // Uncommitted changes, or else the last commit.
  vitest(...(isClean() ? ['--changed=HEAD~1'] : ['--changed']), '--passWithNoTests', ...given.slice(1));
} else {
  installTestTools();
  if (given.length === 0) lint();
  vitest(...given);
}
