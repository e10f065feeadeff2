/**
 * Trains the aligner that the package ships, from nothing:
 *
 *     npm run model:aligner -- [OUTPUT] [--steps 9000]
 *
 * OUTPUT (default output/face-aligner.onnx) gets the network with its record. It learns from the training lists of LFW and
 * CelebA and from people 1 to 50 of CFP; people 51 to 100 are left for measuring (`npm run data` says how to get the sets).
 * Half an hour on one core; the libraries' threads are kept to one, so that a second run gives the same file.
 * `bench/alignment.ts` measures it.
 *
 * Each face is cut out wrongly on purpose, and the network learns to say how. The alignment that is taken for right has
 * errors of its own; they differ from face to face, so what is learned is their mean, which is nearer to the truth.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { researchFolder } from '../bench/support/data.ts';
import { exportAligner } from './aligner/export.ts';
import { alignedFaces, unalignedFaces } from './aligner/faces.ts';
import { trainAligner } from './aligner/train.ts';

const project = fileURLToPath(new URL('../', import.meta.url));
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { steps: { type: 'string', default: '9000' } },
});
const output = resolve(positionals[0] ?? join(project, 'output/face-aligner.onnx'));
const faces = join(researchFolder('faces/lfw', 'faces/celeba', 'faces/cfp-dev'), 'faces');
const all = [...(await alignedFaces(faces)), ...(await unalignedFaces(faces))];
process.stderr.write(`${all.length} faces\n`);
const weights = trainAligner(all, {
  steps: Number(values.steps),
  onProgress: ({ step, error, lr }) =>
    process.stderr.write(
      `step ${step}: off by ${error.toFixed(2)} pixels of the crop, learning rate ${lr.toFixed(4)}\n`,
    ),
});
mkdirSync(dirname(output), { recursive: true });
writeFileSync(output, exportAligner(weights));
process.stderr.write(`Wrote ${output}.\n`);
