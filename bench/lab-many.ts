/**
 * What `magface lab` costs for 100,000 faces: `npx tsx -C magface:source bench/lab-many.ts [--faces N]`
 *
 * Two parts, since no set of this size is at hand. Ranking: made-up features, pairs and scores of N faces (50,000 pairs of two faces
 * each for 100,000, 20,000 people) through everything after the networks: a file of scores per method, curves, 1,000 draws of people,
 * the page. Methods: processor time per face of each method, measured on the faces of the sample photos, times N. Times are of one
 * core's processor time, so that a busy machine does not distort them. Writes bench/results/lab-many.json.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { embeddedPairs } from '../packages/magface/src/eval/embed-set.ts';
import type { FaceSet } from '../packages/magface/src/eval/face-set.ts';
import { measureModel } from '../packages/magface/src/eval/measure-model.ts';
import { componentNames } from '../packages/magface/src/eval/methods/components.ts';
import { openMethod } from '../packages/magface/src/eval/methods/open-methods.ts';
import { readQualities } from '../packages/magface/src/eval/quality-file.ts';
import { measureMeaning } from '../packages/magface/src/eval/quality-meaning.ts';
import { pairQuality } from '../packages/magface/src/eval/reject.ts';
import type { AnalyzedFace } from '../packages/magface/src/face.ts';
import { MagFace } from '../packages/magface/src/infer/node/magface.ts';
import { randomStream } from '../packages/magface/src/random.ts';
import { evaluationPage } from '../packages/magface/src/report/evaluation-page.ts';
import { samplePhoto } from '../packages/magface/test/support/sample-photos.ts';
import { writeResult } from './support/result.ts';

const { values: flags } = parseArgs({ options: { faces: { type: 'string', default: '100000' } } });
const faces = Number(flags.faces);
const facesPerPerson = 5;
const dimension = 128;
const methods = ['detector', 'pruning', 'int8', 'flip', 'shift', 'dropout'];

/** Seconds of processor time, rounded. */
async function cpu(work: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}
const rounded = (seconds: number, digits = 1): number => Number(seconds.toFixed(digits));

/** Faces spread around their people, the less the better their quality. */
function madeUp(): { readonly set: Pick<FaceSet, 'images' | 'pairs' | 'columns'>; readonly values: Float32Array } {
  const random = randomStream(1);
  const values = new Float32Array(faces * dimension);
  const person = new Float32Array(dimension);
  for (let face = 0; face < faces; face++) {
    if (face % facesPerPerson === 0) for (let d = 0; d < dimension; d++) person[d] = random() - 0.5;
    const noise = 0.6 + 1.6 * random();
    for (let d = 0; d < dimension; d++) values[face * dimension + d] = person[d]! + noise * (random() - 0.5);
  }
  const names = Array.from({ length: faces }, (_, face) => `P${Math.floor(face / facesPerPerson)}/${face}.jpg`);
  const pairs = faces / 2;
  const [left, right, same] = [new Uint32Array(pairs), new Uint32Array(pairs), new Uint8Array(pairs)];
  for (let pair = 0; pair < pairs; pair++) {
    // Even pairs compare two faces of a person, odd ones a face with that of the next but 7,000 people.
    const first = 2 * pair - ((2 * pair) % facesPerPerson === facesPerPerson - 1 ? 1 : 0);
    same[pair] = (pair + 1) % 2;
    left[pair] = first;
    right[pair] = same[pair] === 1 ? first + 1 : (first + 7000 * facesPerPerson) % faces;
  }
  const images = names.map((name) => ({ name, digest: '', read: async () => new Uint8Array() }));
  const columns = { camera: Array.from(same, (_, pair) => `camera ${(pair >> 1) % 4}`) };
  return { set: { images, pairs: { left, right, same }, columns }, values };
}

const folder = mkdtempSync(join(tmpdir(), 'lab-many-'));
const { set, values } = madeUp();
const random = randomStream(2);
const magnitudes = Float32Array.from({ length: faces }, () => 10 + 10 * random());
const loaded = embeddedPairs(set as FaceSet, { values, dimension, magnitudes });
const measures: Record<string, Float64Array> = {};
const reading = await cpu(async () => {
  for (const name of methods) {
    const file = join(folder, `${name}.txt`);
    writeFileSync(file, set.images.map((image) => `/data/${image.name} ${random()}\n`).join(''));
    const [measure] = await readQualities(file, loaded.features);
    measures[name] = pairQuality(measure!.values, set.pairs);
  }
});
rmSync(folder, { recursive: true });
let measured: ReturnType<typeof measureModel> | undefined;
const ranking = await cpu(() => {
  measured = measureModel(loaded, 'made-up', { measures });
});
const { report, people } = measured!;
const sets = [{ name: 'made-up', reports: [report] }];
const meaning = await cpu(() => measureMeaning(loaded, people, { fmr: report.reject.fmr, bins: 10 }));
let bytes = 0;
const page = await cpu(() => {
  bytes = evaluationPage({ title: 'made-up', sets, provenance: { command: '', parts: [], measures: {} } }).length;
});
const rankingPeak = process.resourceUsage().maxRSS / 1024;

await using magface = await MagFace.load({ threads: 1 });
const found: AnalyzedFace[] = [];
const analysis = await cpu(async () => {
  for await (const { faces: own } of magface.stream(([1, 2, 3, 4, 5, 6] as const).map(samplePhoto)))
    found.push(...(own ?? []));
});
const perFace: Record<string, number> = { 'photo to feature, with detection': analysis / found.length };
for (const name of [...methods, 'components']) {
  const names = name === 'components' ? componentNames : [name];
  let seconds = 0;
  for (const one of names) {
    await using method = await openMethod(one, magface);
    await method.measure(found.slice(0, 2)); // the first run sets up
    seconds += await cpu(() => method.measure(found));
  }
  perFace[name] = seconds / found.length;
}
const networks = Object.values(perFace).reduce((sum, seconds) => sum + seconds, 0);

writeResult('lab-many', {
  faces,
  pairs: set.pairs.same.length,
  people: people.count,
  draws: 1000,
  methods: methods.length,
  madeUp: 'features, pairs and scores of the ranking; not the times per face',
  processorSeconds: {
    readingScores: rounded(reading),
    ranking: rounded(ranking),
    meaning: rounded(meaning),
    page: rounded(page),
  },
  rankingSeconds: rounded(reading + ranking + meaning + page),
  peakMiB: Math.round(rankingPeak),
  pageBytes: bytes,
  processorMillisecondsPerFace: Object.fromEntries(
    Object.entries(perFace).map(([name, seconds]) => [name, rounded(1000 * seconds, 2)]),
  ),
  networkHours: rounded((networks * faces) / 3600, 2),
});
