/**
 * Open-set identification: the rate of strangers for whom somebody is named, asked for and measured, in galleries of 30, 300 and
 * 3,000 people; beside it the share of enrolled people who are not found, and both at the threshold for single comparisons:
 *
 *     npx tsx -C magface:source bench/open-set.ts [FEATURES_FOLDER]
 *
 * Galleries are drawn from CFP's people and LFW's (strangers are people of the same set who were not drawn). How people who
 * are enrolled twice count was chosen on LFW's people outside its test pairs; the people within them are for testing, but too few for
 * galleries of 3,000, which are drawn from all. Up to three faces a person are enrolled by the gate's least quality; another
 * face of each is searched for. Some people of LFW stand under two names: such strangers are named rightly, so the rate is given without
 * strangers whom `checkGallery` would call one with somebody, too. Writes bench/results/open-set.json. Features of an earlier run are
 * read from FEATURES_FOLDER/lfw-all.npy and cfp.npy.
 */
import { readdirSync } from 'node:fs';
import { defaultModels, MagFace, qualityScore } from 'magface';
import { similarityAt } from '../packages/magface/src/false-match-rate.ts';
import { twinThresholdOf } from '../packages/magface/src/gallery/check-gallery.ts';
import { defaultMinQuality } from '../packages/magface/src/gallery/enrolment-gate.ts';
import { type ComparedPerson, nearestOther, unitTemplates } from '../packages/magface/src/gallery/nearest-others.ts';
import { openSetThreshold } from '../packages/magface/src/gallery/open-set.ts';
import { magnitudeOf } from '../packages/magface/src/quality.ts';
import { randomStream } from '../packages/magface/src/random.ts';
import { product, unitRows } from '../packages/magface/src/row-products.ts';
import { clusterSets, featuresOf } from './support/cluster-sets.ts';
import { researchFolder } from './support/data.ts';
import { writeResult } from './support/result.ts';

await using magface = await MagFace.load({ detector: false });
const { calibration, thresholds } = magface.model.contract;
const faces = `${researchFolder('faces/lfw')}faces/`;

interface Person {
  readonly person: string;
  readonly embeddings: readonly Float32Array[];
}

/** Faces below the gate's quality are left out, as an enrolment would. */
async function peopleOf(set: Parameters<typeof featuresOf>[0]): Promise<Person[]> {
  const { values, dimension, names } = await featuresOf(set);
  const people = new Map<string, Float32Array[]>();
  for (const [row, name] of names!.entries()) {
    const embedding = values.subarray(row * dimension, (row + 1) * dimension);
    if (qualityScore(magnitudeOf(embedding), calibration!) < defaultMinQuality) continue;
    const person = /^(?:cfp-dev\/\d+|lfw\/aligned\/[^/]+)/.exec(name)![0];
    people.set(person, [...(people.get(person) ?? []), embedding]);
  }
  return [...people].map(([person, embeddings]) => ({ person, embeddings }));
}

const allOfLfw = readdirSync(`${faces}lfw/aligned`)
  .sort()
  .flatMap((person) =>
    readdirSync(`${faces}lfw/aligned/${person}`)
      .sort()
      .map((file) => `lfw/aligned/${person}/${file}`),
  );

/** @returns whether `lfw/aligned/NAME` is in LFW's test pairs and in no list for training */
function testedInLfw(): (person: string) => boolean {
  const { names } = clusterSets.find(({ file }) => file === 'lfw')!;
  const tested = new Set(names.map((name) => name.split('/').slice(0, 3).join('/')));
  return (person) => tested.has(person);
}

/** Faces enrolled of a person, of the others one is searched for. */
const mostEnrolled = 3;
const random = randomStream(1);

function shuffled<Item>(items: readonly Item[]): Item[] {
  const result = [...items];
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [result[i], result[j]] = [result[j]!, result[i]!];
  }
  return result;
}

interface Trial {
  readonly threshold: number;
  readonly interval: readonly [number, number] | null;
  readonly fpirMeasured: number;
  readonly fpirWithoutTwins: number;
  readonly fnir: number;
  readonly pair: { readonly threshold: number; readonly fpir: number; readonly fnir: number };
}

interface Asked {
  readonly size: number;
  readonly fpir: number;
  /** Of LFW's strangers one face each, since some have hundreds of photos. */
  readonly facesOfStrangers: number;
}

/** One draw of a gallery. */
async function trial(people: readonly Person[], { size, fpir, facesOfStrangers }: Asked): Promise<Trial> {
  const drawn = shuffled(people);
  const inside = drawn.slice(0, size);
  const strangers = drawn.slice(size).flatMap(({ embeddings }) => embeddings.slice(0, facesOfStrangers));
  const enrolled: ComparedPerson[] = inside.map(({ person, embeddings }) => ({
    person,
    faces: embeddings
      .slice(0, Math.max(1, Math.min(mostEnrolled, embeddings.length - 1)))
      .map((embedding, face) => ({ face, image: null, quality: null, embedding })),
  }));
  const { threshold, interval } = await openSetThreshold(enrolled, thresholds, fpir);
  const templates = unitTemplates(enrolled);
  const best = (embedding: Float32Array): number => nearestOther(templates, unitRows([embedding]), -1)[1];
  const tops = strangers.map(best);
  const mated = inside.flatMap(({ embeddings }, at) => {
    if (embeddings.length < 2) return [];
    const probe = unitRows([embeddings.at(-1)!]);
    const own = product(probe, 0, templates, at * probe.length, probe.length);
    return [own >= nearestOther(templates, probe, at)[1] ? own : -1];
  });
  const rates = (least: number) => ({
    fpir: tops.filter((top) => top >= least).length / tops.length,
    fnir: mated.filter((own) => own < least).length / mated.length,
  });
  const pairThreshold = similarityAt(0.001, thresholds!);
  const { fpir: fpirMeasured, fnir } = rates(threshold);
  const others = tops.filter((top) => top < twinThresholdOf(people.length, thresholds)!);
  const fpirWithoutTwins = others.filter((top) => top >= threshold).length / others.length;
  return {
    threshold,
    interval,
    fpirMeasured,
    fpirWithoutTwins,
    fnir,
    pair: { threshold: pairThreshold, ...rates(pairThreshold) },
  };
}

const mean = (values: readonly number[]): number =>
  Number((values.reduce((sum, value) => sum + value, 0) / values.length).toPrecision(3));

const [cfp] = clusterSets;
const lfw = { set: 'LFW, all people', file: 'lfw-all', names: allOfLfw, aligned: true };
const isTested = testedInLfw();
const outside = (person: string): boolean => !isTested(person);
const results = [];
for (const [set, name, facesOfStrangers, isUsed, plan] of [
  [cfp!, cfp!.set, 14, undefined, [[30, 10]]],
  [
    lfw,
    'LFW, people of the test pairs who are in no training list',
    1,
    isTested,
    [
      [30, 10],
      [300, 10],
      [1500, 10],
    ],
  ],
  [lfw, 'LFW, the other people, on whom the rule was chosen', 1, outside, [[2000, 10]]],
  [lfw, lfw.set, 1, undefined, [[3000, 10]]],
] as const) {
  const people = (await peopleOf(set)).filter(({ person }) => isUsed?.(person) ?? true);
  for (const [size, trials] of plan)
    for (const fpir of [0.1, 0.01]) {
      const all: Trial[] = [];
      for (let i = 0; i < trials; i++) all.push(await trial(people, { size, fpir, facesOfStrangers }));
      const within = all.filter(
        ({ interval, fpirMeasured: rate }) => interval && rate >= interval[0] && rate <= interval[1],
      );
      results.push({
        set: name,
        ...{ people: size, galleries: trials, fpirAsked: fpir },
        fpirMeasured: mean(all.map(({ fpirMeasured }) => fpirMeasured)),
        ...(set === lfw && { fpirWithoutTwins: mean(all.map(({ fpirWithoutTwins }) => fpirWithoutTwins)) }),
        withinInterval: `${within.length} of ${trials}`,
        meanInterval: [0, 1].map((end) => mean(all.map(({ interval }) => interval![end]!))),
        fnir: mean(all.map(({ fnir }) => fnir)),
        threshold: mean(all.map(({ threshold }) => threshold)),
        pairThresholdAtFmr0001: {
          threshold: all[0]!.pair.threshold,
          fpir: mean(all.map(({ pair }) => pair.fpir)),
          fnir: mean(all.map(({ pair }) => pair.fnir)),
        },
      });
      process.stderr.write(`${JSON.stringify(results.at(-1))}\n`);
    }
}
writeResult('open-set', { model: defaultModels.recogniser, results });
