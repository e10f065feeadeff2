/**
 * Gives a recogniser the weights of its likelihood ratios, which depend on its embeddings, and what groups of faces are compared by:
 *
 *     npm run model:likelihood -- [MODEL] [FACES] [FEATURES]
 *
 * MODEL (default: the package's own, whose entry in models.json is updated too) is rewritten in place; only its record changes.
 * FACES (default ../shared/faces) holds `lfw` and `celeba`, of which the faces of both `train.list` are read. They are embedded,
 * or read from FEATURES/lfw.npy and FEATURES/celeba.npy, as `magface embed --list train.list --aligned` writes them. The other
 * faces of CelebA's people are embedded too: its list leaves out poor faces along with wrong labels. A second run gives the same
 * file. Takes about three minutes on one core, one minute with features.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { alsoInLfw, researchFolder } from '../bench/support/data.ts';
import { embedFaces } from '../bench/support/embed-faces.ts';
import { likelihoodPairs } from '../bench/support/likelihood-pairs.ts';
import { commonDirections, fitAgreement } from '../packages/magface/src/eval/fit-agreement.ts';
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
  return { values, people, kept, names, dimension: values.length / names.length, name: set };
}

await using magface = await MagFace.load({ model, detector: false, threads: 1 });
const sets = [await setOf('lfw'), await setOf('celeba')];
/** The faces of CelebA that its list leaves out. */
async function restOfCeleba(listed: readonly string[]) {
  const known = new Set(listed);
  const names = readdirSync(join(faces, 'celeba/aligned'))
    .filter((person) => !alsoInLfw.has(person))
    .sort()
    .flatMap((person) =>
      readdirSync(join(faces, 'celeba/aligned', person))
        .sort()
        .map((file) => `aligned/${person}/${file}`),
    )
    .filter((name) => !known.has(name));
  const paths = names.map((name) => join(faces, 'celeba', name));
  const { values } = await embedFaces(magface, paths, false);
  return { values, people: names.map((name) => name.split('/').at(-2)!), dimension: values.length / names.length };
}

const { pairs, identities } = likelihoodPairs(sets, { genuine, impostors });
const { contract } = magface.model;
if (contract.calibration === undefined)
  throw new Error('Expected a calibrated model: run `npm run model:scale` first.');
const known = [sets[0]!, { ...sets[1]!, name: 'celeba' }, await restOfCeleba(sets[1]!.names)].flatMap((set) =>
  set.people.flatMap((person, row) => {
    const isKept = 'kept' in set ? set.kept[row] === true : true;
    const embedding = set.values.subarray(row * set.dimension, (row + 1) * set.dimension);
    return isKept ? [{ person, embedding }] : [];
  }),
);
const knownFaces = { embeddings: known.map(({ embedding }) => embedding), people: known.map(({ person }) => person) };
const likelihood = {
  ...fitLikelihood(pairs, identities),
  agreement: fitAgreement(knownFaces),
  common: commonDirections(knownFaces, contract.calibration),
  source: `${genuine} genuine and ${impostors} impostor pairs each of the training people of LFW and CelebA`,
};
process.stderr.write(`${JSON.stringify(likelihood, undefined, 2)}\n`);
rewriteRecord(
  model,
  { ...contract, likelihood },
  model === own ? join(project, 'packages/magface/models.json') : undefined,
);
