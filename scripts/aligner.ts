/**
 * Trains the package's aligner from scratch:
 *
 *     npm run model:aligner -- [OUTPUT] [--steps 9000]
 *
 * Writes the network with its record to OUTPUT (default output/face-aligner.onnx). It trains on the training lists of LFW and
 * CelebA and on people 1 to 50 of CFP; people 51 to 100 are reserved for evaluation (`npm run data` explains how to get the
 * sets). Takes half an hour on one core. Libraries are limited to one thread, so that a second run gives the same file.
 * `bench/alignment.ts` evaluates it.
 *
 * Each face is cropped with a deliberate misalignment, which the network learns to estimate. The reference alignments have
 * errors too, but these differ from face to face, so the network learns their mean, which is more accurate.
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
