/**
 * Gives a recogniser the weights of its likelihood ratios, which depend on its embeddings:
 *
 *     npm run model:likelihood -- [MODEL] [FACES] [FEATURES]
 *
 * MODEL (default: the package's own, whose entry in models.json is updated too) is rewritten in place; only its record changes.
 * FACES (default ../shared/faces) holds `lfw` and `celeba`, of which the faces of both `train.list` are read. They are embedded,
 * or read from FEATURES/lfw.npy and FEATURES/celeba.npy, as `magface embed --list train.list --aligned` writes them. A second run
 * gives the same file. Takes about three minutes on one core, one minute with features.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { alsoInLfw, researchFolder } from '../bench/support/data.ts';
import { embedFaces } from '../bench/support/embed-faces.ts';
import { likelihoodPairs } from '../bench/support/likelihood-pairs.ts';
import { fitLikelihood } from '../packages/magface/src/eval/fit-likelihood.ts';
import { readFeatureFile } from '../packages/magface/src/format/feature-reader.ts';
import { MagFace } from '../packages/magface/src/infer/node/magface.ts';
import { rewriteRecord } from './model-scale/rewrite-record.ts';

const project = fileURLToPath(new URL('../', import.meta.url));
const own = join(project, 'packages/magface/models/magface-small.onnx');
const model = resolve(process.argv[2] || own);
const faces = resolve(process.argv[3] || join(researchFolder('faces/lfw', 'faces/celeba'), 'faces'));
const features = process.argv[4];

/** Pairs drawn from each set. */
const [genuine, impostors] = [5000, 30_000];

async function setOf(set: 'lfw' | 'celeba') {
  const lines = readFileSync(join(faces, set, 'train.list'), 'utf8')
    .trim()
    .split('\n');
  const names = lines.map((line) => line.split(/\s+/)[0]!);
  const file = features === undefined ? undefined : join(features, `${set}.npy`);
  const values =
    file !== undefined && existsSync(file)
      ? (await readFeatureFile(file)).values
      : (
          await embedFaces(
            magface,
            names.map((name) => join(faces, set, name)),
            false,
          )
        ).values;
  const people = names.map((name) => name.split('/').at(-2)!);
  const kept = people.map((person) => set === 'lfw' || !alsoInLfw.has(person));
  return { values, people, kept, dimension: values.length / names.length, name: set };
}

await using magface = await MagFace.load({ model, detector: false, threads: 1 });
const sets = [await setOf('lfw'), await setOf('celeba')];
const { pairs, identities } = likelihoodPairs(sets, { genuine, impostors });
const likelihood = {
  ...fitLikelihood(pairs, identities),
  source: `${genuine} genuine and ${impostors} impostor pairs each of the training people of LFW and CelebA`,
};
process.stderr.write(`${JSON.stringify(likelihood, undefined, 2)}\n`);
const { contract } = magface.model;
rewriteRecord(
  model,
  { ...contract, likelihood },
  model === own ? join(project, 'packages/magface/models.json') : undefined,
);
