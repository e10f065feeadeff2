/** HDBSCAN of scikit-learn, in a Python process. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FeatureSet } from '../../packages/magface/src/eval/feature-set.ts';

const script = fileURLToPath(new URL('hdbscan.py', import.meta.url));
const python = process.argv[3] ?? 'python3';

/**
 * @param settings - arguments of `sklearn.cluster.HDBSCAN`
 * @returns for each, (N) the cluster of each face; a face alone has a cluster of its own
 */
export function runHdbscan({ values, dimension }: FeatureSet, settings: readonly object[]): number[][] {
  const folder = mkdtempSync(join(tmpdir(), 'magface-hdbscan-'));
  const file = join(folder, 'features');
  writeFileSync(file, values);
  const { status, stdout } = spawnSync(python, [script], {
    input: JSON.stringify({ file, dimension, settings }),
    stdio: ['pipe', 'pipe', 'inherit'],
    encoding: 'utf8',
    maxBuffer: 2 ** 30,
  });
  rmSync(folder, { recursive: true });
  if (status !== 0) throw new Error(`Expected scikit-learn 1.3 or later for ${python}: see above.`);
  const labels = JSON.parse(stdout) as number[][];
  return labels.map((all) => all.map((label, face) => (label < 0 ? all.length + face : label)));
}
