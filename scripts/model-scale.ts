/**
 * Gives a recogniser the lower side of its quality scale and the tables for estimates, which depend on the weights:
 *
 *     npm run model:scale -- [MODEL] [FACES]
 *
 * MODEL (default: the package's own, whose entry in models.json is updated too) needs a scale and thresholds from `magface
 * calibrate`. It is rewritten in place; only its record changes. FACES (default ../shared/faces) holds `cfp-dev`, of which people 1
 * to 50 are read. A second run gives the same file. Takes three minutes on one core.
 */
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { researchFolder } from '../bench/support/data.ts';
import { damagedFaces, photoFaces, type ReferenceFace } from '../bench/support/reference-faces.ts';
import { fitFailures } from '../packages/magface/src/calibrate.ts';
import { MagFace } from '../packages/magface/src/infer/node/magface.ts';
import type { RecogniserContract } from '../packages/magface/src/models/contract.ts';
import { compare } from '../packages/magface/src/similarity.ts';
import { measureRemedies } from './model-scale/remedies.ts';
import { rewriteRecord } from './model-scale/rewrite-record.ts';

const project = fileURLToPath(new URL('../', import.meta.url));
const own = join(project, 'packages/magface/models/magface-small.onnx');
const model = resolve(process.argv[2] ?? own);
const faces = resolve(process.argv[3] ?? join(researchFolder('faces/cfp-dev'), 'faces'));

/** The rate at which a comparison fails or succeeds. */
const fmr = 0.001;

/** Each face with the ordinary faces of its person. */
function comparisons(all: readonly ReferenceFace[], { centre, threshold }: { centre: number; threshold: number }) {
  const ordinary = all.filter(({ kind, magnitude }) => kind === 'frontal' && magnitude >= centre);
  return all.flatMap((face) =>
    ordinary
      .filter((other) => other !== face && other.person === face.person)
      .map((other) => {
        const failed = compare(face.embedding, other.embedding) < threshold ? 1 : 0;
        return { kind: face.kind, magnitude: face.magnitude, failed };
      }),
  );
}

await using magface = await MagFace.load({ model, threads: 1 });
const { contract } = magface.model;
const { calibration, thresholds } = contract;
if (calibration === undefined || thresholds === undefined)
  throw new Error(`Expected a scale and thresholds in ${model} but it lacks them: run \`magface calibrate\` first.`);
const { threshold } = magface.threshold(fmr)!;

const photos = await photoFaces(magface, join(faces, 'cfp-dev'));
const reference = [...photos, ...(await damagedFaces(magface, photos))];
const pairs = comparisons(reference, { centre: calibration.centre, threshold });
const fit = fitFailures(
  pairs.map(({ magnitude }) => magnitude),
  pairs.map(({ failed }) => failed),
  calibration.centre,
);
for (const kind of new Set(pairs.map((pair) => pair.kind))) {
  const some = pairs.filter((pair) => pair.kind === kind);
  const failing = some.reduce((sum, { failed }) => sum + failed, 0) / some.length;
  process.stderr.write(`${kind}: ${some.length} comparisons, ${(100 * failing).toFixed(1)} % fail\n`);
}
process.stderr.write(`Half fail at a magnitude of ${fit.half.toFixed(3)}, which scores 10.\n`);

const ordinarySource = calibration.source.split('; below 50')[0]!;
const source = `${ordinarySource}; below 50: ${pairs.length} comparisons of people 1 to 50 of CFP`;
const remedies = await measureRemedies(magface, photos);
const scaled: RecogniserContract = {
  ...contract,
  calibration: { ...calibration, widthBelow: fit.widthBelow, remedies, source },
};
rewriteRecord(model, scaled, model === own ? join(project, 'packages/magface/models.json') : undefined);
