/**
 * Evaluates a finished training run of iResNet-18 from scratch on real faces, with the commands that a user would run.
 *
 *     npx tsx bench/real-faces.ts NAME RUN_FOLDER
 *
 * RUN_FOLDER is the `--output` of `magface train` on the lists from `npm run data` (the result states the command). Converts
 * the last checkpoint to ONNX, embeds the test images of LFW with it, and measures accuracy and error versus reject, with
 * 95 % intervals over resampled pairs. Writes bench/results/NAME.json and NAME.png, the charts of the run's report without
 * its faces.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MagFace } from 'magface';
import { chromium } from 'playwright-core';
import { readPairList } from '../packages/magface/src/eval/pair-list.ts';
import { resolvePairs } from '../packages/magface/src/eval/pairs.ts';
import { errorVersusReject, pairQuality, rejectBaselines } from '../packages/magface/src/eval/reject.ts';
import { cosineSimilarities, verify } from '../packages/magface/src/eval/verification.ts';
import { quantile } from '../packages/magface/src/quantile.ts';
import { randomStream } from '../packages/magface/src/random.ts';
import type { Pictures } from '../packages/magface/src/train/record/pictures.ts';
import { trainReport } from '../packages/magface/src/train/record/train-report.ts';
import { researchFolder } from './support/data.ts';
import { embedFaces } from './support/embed-faces.ts';
import { finishedRun } from './support/finished-run.ts';
import { writeResult } from './support/result.ts';

const [name, folder] = process.argv.slice(2);
if (name === undefined || folder === undefined) throw new Error('Usage: npx tsx bench/real-faces.ts NAME RUN_FOLDER');
const root = fileURLToPath(new URL('../', import.meta.url));
const lfw = join(researchFolder('faces/lfw'), 'faces/lfw/');
const work = mkdtempSync(join(tmpdir(), 'magface-real-faces-'));
const run = await finishedRun(resolve(folder));
const model = join(work, 'model.onnx');
execFileSync('npx', ['magface', 'convert', run.checkpoint, model], { cwd: root, stdio: 'inherit' });

const pairList = await readPairList(join(lfw, 'test_pairs.list'));
const names = [...new Set([...pairList.left, ...pairList.right])];
await using magface = await MagFace.load({ model, detector: false });
const images = names.map((file) => join(lfw, file));
const { values, magnitudes, dimension } = await embedFaces(magface, images, false);

const features = { names, values, dimension };
const pairs = resolvePairs(pairList, features);
const similarities = cosineSimilarities(features, pairs);
const quality = pairQuality(magnitudes, pairs);
const rejectRates = [0, 0.1, 0.2, 0.3];
const reject = (fmr: number): Record<string, unknown> => {
  const rules = (['exact', 'fixed', 'official'] as const).map((threshold) => [
    threshold,
    errorVersusReject(similarities, pairs.same, quality, { fmr, threshold, rejectRates }),
  ]);
  return { ...Object.fromEntries(rules), ...rejectBaselines(similarities, pairs.same, { fmr, rejectRates }) };
};

/** Reduction of FNMR at FMR 1e-2 by rejection, with 95 % intervals over 1,000 resamplings of the pairs. */
function falls(): Record<string, readonly [number, number]> {
  const random = randomStream(1);
  const drops: number[][] = rejectRates.slice(1).map(() => []);
  const count = pairs.same.length;
  for (let round = 0; round < 1000; round++) {
    const drawn = Uint32Array.from({ length: count }, () => Math.floor(random() * count));
    const { fnmr } = errorVersusReject(
      Float64Array.from(drawn, (i) => similarities[i]!),
      Uint8Array.from(drawn, (i) => pairs.same[i]!),
      Float64Array.from(drawn, (i) => quality[i]!),
      { fmr: 0.01, threshold: 'fixed', rejectRates },
    );
    for (const [i, drop] of drops.entries()) drop.push(fnmr[0]! - fnmr[i + 1]!);
  }
  const interval = (drop: number[]): readonly [number, number] => {
    const sorted = Float64Array.from(drop).sort();
    return [quantile(sorted, 0.025), quantile(sorted, 0.975)];
  };
  return Object.fromEntries(drops.map((drop, i) => [String(rejectRates[i + 1]), interval(drop)]));
}

const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
const page = await browser.newPage({ viewport: { width: 1200, height: 800 } });
// Keep only the charts: faces are research data, and the folders are specific to this machine.
const config = { ...run.config, evalPairs: basename(run.config.evalPairs ?? '') };
const pictures = JSON.parse(readFileSync(join(folder, 'pictures.json'), 'utf8')) as Pictures;
const told = { config, rows: run.metrics, validation: run.validation };
await page.setContent(trainReport({ ...told, pictures: { ...pictures, lowest: [], highest: [] } }));
writeFileSync(join(root, `bench/results/${name}.png`), await page.screenshot({ fullPage: true }));
await browser.close();

const epochs = new Map(run.metrics.map((row) => [row.epoch, row]));
writeResult(name, {
  what: 'iResNet-18 from scratch on real faces, tested on 4,000 pairs of 5,322 people who are not in training',
  checkpoint: basename(run.checkpoint),
  steps: run.metrics.at(-1)?.step,
  verification: verify(features, pairs),
  errorVersusReject: { 'fmr 1e-2': reject(0.01) },
  fallOfFnmr: {
    says: '95 % intervals of FNMR(0) - FNMR(rate) at FMR 1e-2, threshold fixed, 1,000 resamplings',
    ...falls(),
  },
  magnitudes: Object.fromEntries(
    [0.01, 0.25, 0.5, 0.75, 0.99].map((p) => [p, quantile(Float64Array.from(magnitudes).sort(), p)]),
  ),
  validation: run.validation,
  training: [...epochs.values()],
});
