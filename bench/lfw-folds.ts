/**
 * Measures two models on LFW's ten folds by plain cosine with flip-sum features, and compares with their expected accuracy:
 *
 *     npx tsx bench/lfw-folds.ts [MODEL...]
 *
 * Also fits each model's quality scale to the magnitudes of these faces; the constants in models.json come from here. Needs
 * LFW (`npm run data -- lfw`); writes bench/results/lfw-folds.json. Takes a quarter of an hour on two cores.
 */
import { readdirSync } from 'node:fs';
import { calibrate, MagFace } from 'magface';
import { readPairList } from '../packages/magface/src/eval/pair-list.ts';
import { resolvePairs } from '../packages/magface/src/eval/pairs.ts';
import { verify } from '../packages/magface/src/eval/verification.ts';
import { researchFolder } from './support/data.ts';
import { embedFaces } from './support/embed-faces.ts';
import { writeResult } from './support/result.ts';

const shared = researchFolder('faces/lfw', 'models/foamliu_mobilefacenet.onnx');
const held: Readonly<Record<string, number>> = {
  [`${shared}models/foamliu_mobilefacenet.onnx`]: 0.9907,
  'fr-feature': 0.99,
};

const folder = `${shared}faces/lfw/aligned/`;
const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.jpg'))
  .sort();
const pairs = await readPairList(`${shared}faces/lfw/pairs.txt`);
const models = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(held);

const results = [];
for (const name of models) {
  const started = performance.now();
  await using magface = await MagFace.load({ model: name, detector: false });
  const paths = names.map((file) => folder + file);
  const { values, magnitudes, dimension } = await embedFaces(magface, paths, true);
  const features = { names: names.map((file) => file.replaceAll('\\', '/')), values, dimension };
  const verified = verify(features, resolvePairs(pairs, features));
  const seconds = (performance.now() - started) / 1000;
  results.push({
    model: magface.model.id ?? name,
    heldTo: held[name] ?? null,
    ...verified,
    calibration: calibrate(magnitudes),
    seconds,
  });
}
writeResult('lfw-folds', { images: names.length, results });
