/**
 * Measures whether whole numbers of quality order faces as the magnitude does: `npx tsx -C magface:source bench/quality-scale.ts`
 *
 * Rejects pairs by the magnitude, by the whole number of the default model's scale, and by that of a scale with one width on both
 * sides. Pairs are all genuine ones and as many impostors of CFP's people 51 to 100 (the scale is fitted on people 1 to 50), and
 * LFW's test pairs, clean and damaged as in bench/default-model.ts. Needs ../shared/faces/cfp-dev and lfw. Writes
 * bench/results/quality-scale.json. Takes ten minutes on one core.
 */
import { join } from 'node:path';
import { allDamages } from '../packages/magface/src/degrade/node/jpeg.ts';
import { readPairList } from '../packages/magface/src/eval/pair-list.ts';
import { pairQuality } from '../packages/magface/src/eval/reject.ts';
import { cosineSimilarities, type Pairs } from '../packages/magface/src/eval/verification.ts';
import { MagFace } from '../packages/magface/src/infer/node/magface.ts';
import { readAligned } from '../packages/magface/src/infer/node/read-image.ts';
import { qualityScore } from '../packages/magface/src/quality.ts';
import { randomStream } from '../packages/magface/src/random.ts';
import { rejection } from './support/attainable.ts';
import { researchFolder } from './support/data.ts';
import { embedded, photoFaces } from './support/reference-faces.ts';
import { writeResult } from './support/result.ts';

const data = join(researchFolder('faces/cfp-dev', 'faces/lfw'), 'faces');
const dimension = 512;
const worst = 0.6;

await using magface = await MagFace.load({ threads: 1 });
const scale = magface.model.contract.calibration!;

interface Embedded {
  readonly magnitude: number;
  readonly embedding: Float32Array;
}

function figures(faces: readonly Embedded[], pairs: Pairs) {
  const values = new Float32Array(faces.length * dimension);
  for (const [i, { embedding }] of faces.entries()) values.set(embedding, i * dimension);
  const similarities = cosineSimilarities({ values, dimension }, pairs);
  const rejected = (quality: (magnitude: number) => number, fmr: number) =>
    rejection(
      similarities,
      pairs.same,
      pairQuality(
        faces.map(({ magnitude }) => quality(magnitude)),
        pairs,
      ),
      fmr,
    );
  const oneWidth = { centre: scale.centre, width: scale.width };
  return {
    pairs: pairs.same.length,
    byFmr: Object.fromEntries(
      [1e-2, 1e-3].map((fmr) => {
        const byMagnitude = rejected((magnitude) => magnitude, fmr);
        const byWholeNumber = rejected((magnitude) => Math.round(qualityScore(magnitude, scale)), fmr);
        const byOneWidth = rejected((magnitude) => Math.round(qualityScore(magnitude, oneWidth)), fmr);
        const lost = byMagnitude.shareOfAttainable - byWholeNumber.shareOfAttainable;
        return [fmr, { byMagnitude, byWholeNumber, byOneWidth, lost }];
      }),
    ),
    wholeNumbersOfPairs: shareAtZeroOrOne(faces, pairs),
  };
}

/** Share of the pairs whose lower whole number is 0 or 1. */
function shareAtZeroOrOne(faces: readonly Embedded[], pairs: Pairs) {
  const lowest = pairQuality(
    faces.map(({ magnitude }) => magnitude),
    pairs,
  );
  const share = (of: Omit<typeof scale, 'source'>): number =>
    lowest.filter((magnitude) => Math.round(qualityScore(magnitude, of)) <= 1).length / lowest.length;
  return { zeroOrOne: share(scale), zeroOrOneByOneWidth: share({ centre: scale.centre, width: scale.width }) };
}

async function cfpPairs() {
  const people = Array.from({ length: 50 }, (_, i) => i + 51);
  const faces = await photoFaces(magface, join(data, 'cfp-dev'), people);
  const random = randomStream(1);
  const pairsOf = (kind: 'frontal' | 'profile'): Pairs => {
    const [left, right, same]: [number[], number[], number[]] = [[], [], []];
    const strangers: [number, number][] = [];
    for (const [i, a] of faces.entries())
      for (const [j, b] of faces.entries()) {
        if (a.kind !== 'frontal' || b.kind !== kind || (kind === 'frontal' && j <= i)) continue;
        if (a.person !== b.person) strangers.push([i, j]);
        else {
          left.push(i);
          right.push(j);
          same.push(1);
        }
      }
    for (let count = same.length; count > 0; count--) {
      const [[i, j]] = strangers.splice(Math.floor(random() * strangers.length), 1) as [[number, number]];
      left.push(i);
      right.push(j);
      same.push(0);
    }
    return { left: Uint32Array.from(left), right: Uint32Array.from(right), same: Uint8Array.from(same) };
  };
  return { frontalProfile: figures(faces, pairsOf('profile')), frontalFrontal: figures(faces, pairsOf('frontal')) };
}

async function lfwPairs() {
  const list = await readPairList(join(data, 'lfw/test_pairs.list'));
  const names = [...new Set([...list.left, ...list.right])].sort();
  const row = new Map(names.map((name, i) => [name, i]));
  const rows = (side: readonly string[]): Uint32Array => Uint32Array.from(side, (name) => row.get(name)!);
  const pairs = { left: rows(list.left), right: rows(list.right), same: list.same };
  const kinds = Object.values(allDamages);
  const clean: Embedded[] = [];
  const damaged: Embedded[] = [];
  for (let start = 0; start < names.length; start += 256) {
    const crops = await Promise.all(
      names.slice(start, start + 256).map((name) => readAligned(join(data, 'lfw', name))),
    );
    const drawn = crops.map((crop, at) => {
      const i = start + at;
      return kinds[i % kinds.length]!.apply(crop, worst * ((i * 0.6180339887498949) % 1), i);
    });
    const short = ({ magnitude, embedding }: Embedded): Embedded => ({ magnitude, embedding });
    clean.push(...(await embedded(magface, crops)).map(short));
    damaged.push(...(await embedded(magface, drawn)).map(short));
  }
  return { clean: figures(clean, pairs), damaged: figures(damaged, pairs) };
}

const { source: _, ...numbers } = scale;
const cfp = await cfpPairs();
const lfw = await lfwPairs();
const lost = [cfp.frontalProfile, cfp.frontalFrontal, lfw.clean, lfw.damaged].flatMap(({ byFmr }) =>
  Object.values(byFmr).map((of) => of.lost),
);
writeResult('quality-scale', { wanted: { mostLost: 0.01 }, mostLost: Math.max(...lost), scale: numbers, cfp, lfw });
