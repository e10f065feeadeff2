/**
 * Tests whether the quality of two models falls with damage and predicts the loss of similarity, on LFW faces:
 *
 *     npx tsx bench/robustness.ts [--limit N]
 *
 * Needs LFW (`npm run data -- lfw`) and a build; writes bench/results/robustness.json. Takes a few minutes per model on two
 * cores.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { researchFolder } from './support/data.ts';
import { writeResult } from './support/result.ts';

const shared = researchFolder('faces/lfw', 'models/foamliu_mobilefacenet.onnx');
const command = fileURLToPath(new URL('../packages/magface/dist/cli/main.js', import.meta.url));
const given = process.argv.indexOf('--limit');
const limit = given < 0 ? '100' : process.argv[given + 1]!;

const results = [`${shared}models/foamliu_mobilefacenet.onnx`, 'fr-feature'].map((model) => {
  const words = ['--faces', `${shared}faces/lfw/aligned`, '--model', model, '--limit', limit, '-q', '--json'];
  return JSON.parse(
    execFileSync(process.execPath, [command, 'evaluate', 'robustness', ...words], { encoding: 'utf8' }),
  );
});
writeResult('robustness', { set: 'LFW, evenly spaced over all faces', results });
