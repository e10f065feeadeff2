/** Runs one IJB evaluation in its own process, to measure its peak memory, and prints one line of JSON. */

import { evaluateIjb } from '../../packages/magface/src/eval/ijb.ts';
import { findIjbFiles, readFaceTemplates, readTemplatePairs } from '../../packages/magface/src/eval/ijb-files.ts';
import { openFeatureFile } from '../../packages/magface/src/format/feature-reader.ts';

const [folder = '', featureFile = ''] = process.argv.slice(2);
const start = performance.now();
const stages: Record<string, number> = {};
let [stage, since] = ['lists', start];
const next = (name: string): void => {
  stages[stage] = round((performance.now() - since) / 1000);
  [stage, since] = [name, performance.now()];
};
const files = await findIjbFiles(folder, 'c');
const { dimension, blocks: features } = await openFeatureFile(featureFile);
const [faces, pairs] = await Promise.all([readFaceTemplates(files.faces), readTemplatePairs(files.pairs)]);
const { result } = await evaluateIjb({ features, dimension, faces, pairs }, { onStage: next });
next('end');
const seconds = round((performance.now() - start) / 1000);
const { user, system } = process.cpuUsage();
const cpuSeconds = round((user + system) / 1e6); // of all threads; independent of other load
process.stdout.write(
  JSON.stringify({ seconds, cpuSeconds, peakGB: round(process.resourceUsage().maxRSS / 1e6), stages, tar: result.tar }),
);

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
