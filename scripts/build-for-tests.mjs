/**
 * vitest's global set-up: builds what changed, before the tests and before each rerun in watch mode. Tests import the sources,
 * but some start the built command line, pack it or open the page, and must never use an old build.
 */
import { build } from './set-up.mjs';

export function setup(project) {
  // Set by `npm test`, which has just built; by vitest's first project; and for a vitest that a test starts.
  if (process.env.MAGFACE_BUILT !== undefined) return;
  if (!build()) throw new Error('The build failed: see above.');
  process.env.MAGFACE_BUILT = 'true';
  project.onTestsRerun(() => void build());
}
