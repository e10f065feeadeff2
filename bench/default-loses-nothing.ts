/**
 * Does the default model lose anything against the model that it was made from? Both on people whom neither training nor choosing
 * saw: CFP's people 51 to 100, frontal and in profile, found and cut by this package; clean and damaged. bench/default-model.ts has
 * LFW's people.
 *
 *     npx tsx -C magface:source bench/default-loses-nothing.ts [CANDIDATE.onnx...]
 *
 * Intervals are 95 %, of 1,000 draws of people; differences are taken draw by draw. Needs ../shared/faces/cfp-dev. Keeps features by
 * the digest of the weights in output/default-loses-nothing. Writes bench/results/default-loses-nothing.json; with candidates, which
 * are measured beside the default, default-loses-nothing-candidates.json.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { allDamages } from '../packages/magface/src/degrade/node/jpeg.ts';
import { drawPeople, intervalOf } from '../packages/magface/src/eval/bootstrap.ts';
import type { PairIdentities } from '../packages/magface/src/eval/identities.ts';
import { spearman } from '../packages/magface/src/eval/rank-correlation.ts';
import { type RejectCurve, rejectCurves } from '../packages/magface/src/eval/reject.ts';
import { rocMeter } from '../packages/magface/src/eval/weighted-roc.ts';
import { readyToRun, weightsDigest } from '../packages/magface/src/graph/onnx/file.ts';
import { Embedder } from '../packages/magface/src/infer/embedder.ts';
import { createSession } from '../packages/magface/src/infer/node/session.ts';
import { loadModel } from '../packages/magface/src/models/load-model.ts';
import type { Pixels } from '../packages/magface/src/pixels.ts';
import { type Calibration, qualityScore } from '../packages/magface/src/quality.ts';
import { alsoTrained, cfpCrops, firstTestPerson, kindsOfMove, testPeople } from './support/cfp-crops.ts';
import { researchFolder } from './support/data.ts';
import { writeResult } from './support/result.ts';

const faces = join(researchFolder('faces/cfp-dev'), 'faces');
const kept = fileURLToPath(new URL('../output/default-loses-nothing', import.meta.url));
const candidates = process.argv.slice(2);
const models: Readonly<Record<string, string>> = {
  start: 'fr-feature',
  default: 'magface-small',
  ...Object.fromEntries(candidates.map((file) => [basename(file, '.onnx'), file])),
};

const kinds = Object.keys(allDamages) as (keyof typeof allDamages)[];
/** Maximum strength of damage, as in bench/default-model.ts. */
const worst = 0.6;
const rates = [1e-3, 1e-2];
/** `fmr1e2` */
const nameOf = (rate: number): string => `fmr1e${Math.round(-Math.log10(rate))}`;
const dimension = 512;

/** Damaged by a kind and a strength that the index determines, even over both. */
function damaged(face: Pixels, i: number): Pixels {
  return allDamages[kinds[i % kinds.length]!].apply(face, worst * ((i * 0.6180339887498949) % 1), i);
}

interface Features {
  /** (N, D): sums with the mirrored face, normalised. */
  readonly directions: Float32Array;
  /** (N): of the face itself. */
  readonly magnitudes: Float64Array;
}

interface Model {
  readonly digest: string;
  readonly calibration: Calibration | undefined;
  readonly embed: (set: string, faces: () => Promise<Pixels[]>) => Promise<Features>;
}

async function open(name: string): Promise<Model> {
  const { bytes, contract } = await loadModel<'recogniser'>(name, { kind: 'recogniser' });
  const digest = weightsDigest(bytes, name);
  const session = await createSession(readyToRun(bytes, name).bytes, { name, threads: 1 });
  const embedder = new Embedder(session, contract, { name });
  mkdirSync(kept, { recursive: true });
  const embed = async (set: string, given: () => Promise<Pixels[]>): Promise<Features> => {
    const file = join(kept, `${digest.slice(0, 16)}-${set}.f32`);
    if (!existsSync(file)) {
      const found = await embedder.embed(await given(), { flip: true });
      const rows = Float32Array.from(found.flatMap(({ embedding, magnitude }) => [...embedding, magnitude]));
      writeFileSync(file, new Uint8Array(rows.buffer));
      process.stderr.write(`${name}: ${set}\n`);
    }
    const rows = new Float32Array(Uint8Array.from(readFileSync(file)).buffer);
    const count = rows.length / (dimension + 1);
    const directions = new Float32Array(count * dimension);
    for (let i = 0; i < count; i++) {
      const row = rows.subarray(i * (dimension + 1), (i + 1) * (dimension + 1) - 1);
      const length = Math.hypot(...row);
      directions.set(
        row.map((value) => value / length),
        i * dimension,
      );
    }
    const magnitudes = Float64Array.from({ length: count }, (_, i) => rows[(i + 1) * (dimension + 1) - 1]!);
    return { directions, magnitudes };
  };
  return { digest, calibration: contract.calibration, embed };
}

/** Pairs of a set's rows. */
interface PairSet {
  readonly left: readonly number[];
  readonly right: readonly number[];
  readonly same: Uint8Array;
  readonly identities: PairIdentities;
}

function pairSet(pairs: readonly (readonly [number, number])[], people: readonly string[]): PairSet {
  const numbers = new Map([...new Set(pairs.flat().map((row) => people[row]!))].map((person, i) => [person, i]));
  const numberOf = (row: number): number => numbers.get(people[row]!)!;
  const [left, right] = [pairs.map(([a]) => a), pairs.map(([, b]) => b)];
  return {
    left,
    right,
    same: Uint8Array.from(pairs, ([a, b]) => Number(people[a] === people[b])),
    identities: {
      left: Uint32Array.from(left, numberOf),
      right: Uint32Array.from(right, numberOf),
      count: numbers.size,
      from: 'folders',
    },
  };
}

function similarities({ directions }: Features, { left, right }: PairSet): Float64Array {
  return Float64Array.from(left, (a, pair) => {
    const b = right[pair]!;
    let sum = 0;
    for (let d = 0; d < dimension; d++) sum += directions[a * dimension + d]! * directions[b * dimension + d]!;
    return sum;
  });
}

const rounded = (value: number): number => Number(value.toFixed(4));
const within = (draws: readonly number[]) => intervalOf(draws).map(rounded);
const allOnes = (length: number): Uint8Array => new Uint8Array(length).fill(1);

interface Estimate {
  readonly value: number;
  readonly interval: readonly number[];
}

/**
 * Figures of each model, and its differences from the start and the default, with intervals.
 *
 * @param by - a figure for each of {@link rates}
 */
function compared(
  by: ReadonlyMap<string, (weights: ArrayLike<number>) => readonly number[]>,
  set: PairSet,
): Record<string, unknown> {
  const names = [...by.keys()];
  const measure = (weights: ArrayLike<number>) => names.map((name) => by.get(name)!(weights));
  const whole = measure(allOnes(set.same.length));
  const draws = drawPeople(set.same, set.identities, { replicates: 1000 }, measure);
  const atRate = (rate: number) => {
    const figure = (of: (row: readonly (readonly number[])[]) => number): Estimate => ({
      value: rounded(of(whole)),
      interval: within(draws.map(of)),
    });
    const entries = names.flatMap((name, i) => [
      [name, figure((row) => row[i]![rate]!)] as const,
      ...names
        .slice(0, Math.min(i, 2))
        .map((other, k) => [`${name} minus ${other}`, figure((row) => row[i]![rate]! - row[k]![rate]!)] as const),
    ]);
    return Object.fromEntries(entries);
  };
  return Object.fromEntries(rates.map((rate, i) => [nameOf(rate), atRate(i)]));
}

/** FNMR at each rate. */
function verification(features: ReadonlyMap<string, Features>, set: PairSet): Record<string, unknown> {
  const by = new Map(
    [...features].map(([name, own]) => {
      const meter = rocMeter(similarities(own, set), set.same);
      return [name, (weights: ArrayLike<number>) => meter(weights, rates).tars.map((tar) => 1 - tar)];
    }),
  );
  const { same } = set;
  return { pairs: same.length, genuine: same.reduce((sum, label) => sum + label, 0), fnmr: compared(by, set) };
}

const rejectRates = Array.from({ length: 11 }, (_, i) => i * 0.05);

/** Mean over the rates, by the trapezoid rule. */
function meanOf(values: readonly number[]): number {
  return values.slice(1).reduce((sum, value, i) => sum + (value + values[i]!) / 2, 0) / (values.length - 1);
}

/**
 * Share of what `rejectBaselines`' oracle gains over chance when up to half are rejected, on the start's scores. It can be above 1,
 * because the oracle turns away genuine pairs and strangers evenly and these qualities need not.
 */
function rejection(features: ReadonlyMap<string, Features>, set: PairSet): Record<string, unknown> {
  const scores = similarities(features.get('start')!, set);
  const by = new Map(
    [...features].map(([name, { magnitudes }]) => {
      const quality = Float64Array.from(set.left, (a, i) => Math.min(magnitudes[a]!, magnitudes[set.right[i]!]!));
      const curves = rates.map((fmr) => {
        return rejectCurves(scores, set.same, quality, { fmr, threshold: 'fixed', rejectRates, paucLimit: 0.5 });
      });
      return [name, (weights: ArrayLike<number>) => curves.map((curveOf) => shareOf(curveOf(weights)))];
    }),
  );
  return compared(by, set);
}

function shareOf({ fnmrOfAll, pauc }: RejectCurve): number {
  const chance = fnmrOfAll!;
  const oracle = meanOf(rejectRates.map((rate) => Math.max(0, (chance - rate) / (1 - rate))));
  return (chance - pauc!) / (chance - oracle);
}

/** Spearman's ρ of magnitude and recognisability: the cosine to the mean of one's other faces among `others`. */
function foretelling(
  { directions, magnitudes }: Features,
  rows: readonly number[],
  { others, people }: { readonly others: readonly number[]; readonly people: readonly string[] },
): Drawn {
  const sums = new Map<string, Float64Array>();
  for (const row of others) {
    const sum = sums.get(people[row]!) ?? new Float64Array(dimension);
    for (let d = 0; d < dimension; d++) sum[d]! += directions[row * dimension + d]!;
    sums.set(people[row]!, sum);
  }
  const isOther = new Set(others);
  const cosines = rows.map((row) => {
    let [dot, length] = [0, 0];
    for (let d = 0; d < dimension; d++) {
      const own = directions[row * dimension + d]!;
      const rest = sums.get(people[row]!)![d]! - (isOther.has(row) ? own : 0);
      dot += own * rest;
      length += rest * rest;
    }
    return dot / Math.sqrt(length);
  });
  const lengths = rows.map((row) => magnitudes[row]!);
  const draws = drawsOfRows(
    rows.map((row) => people[row]!),
    (taken) =>
      spearman(
        taken.map((i) => lengths[i]!),
        taken.map((i) => cosines[i]!),
      ),
  );
  return { value: spearman(lengths, cosines), draws };
}

/** A figure, and its values on drawn people. */
interface Drawn {
  readonly value: number;
  readonly draws: readonly number[];
}

/** Figures of all models with intervals, and their differences from the start and the default, draw by draw. */
function withDifferences(of: (name: string) => Drawn): Record<string, Estimate> {
  const all = names.map(of);
  const estimate = ({ value, draws }: Drawn): Estimate => ({ value: rounded(value), interval: within(draws) });
  const entries = all.flatMap((own, i) => [
    [names[i]!, estimate(own)] as const,
    ...all.slice(0, Math.min(i, 2)).map((other, k) => {
      const draws = own.draws.map((value, draw) => value - other.draws[draw]!);
      return [`${names[i]} minus ${names[k]}`, estimate({ value: own.value - other.value, draws })] as const;
    }),
  ]);
  return Object.fromEntries(entries);
}

/**
 * Bootstrap over the people of rows.
 *
 * @param measure - gets the rows of a draw and their people; a person who is drawn twice counts as two
 */
function drawsOfRows(people: readonly string[], measure: (taken: number[], people: string[]) => number): number[] {
  const names = [...new Set(people)];
  const rowsOf = names.map((name) => people.flatMap((person, i) => (person === name ? [i] : [])));
  const same = Uint8Array.of(...allOnes(names.length), 0); // a pair of strangers too, as draws need
  const identities = {
    left: Uint32Array.of(...names.keys(), 0),
    right: Uint32Array.of(...names.keys(), 1),
    count: names.length,
    from: 'folders',
  } as const;
  return drawPeople(same, identities, { replicates: 1000 }, (weights) => {
    const drawn = rowsOf.flatMap((rows, i) => Array.from({ length: weights[i]! }, (_, copy) => ({ rows, copy, i })));
    return measure(
      drawn.flatMap(({ rows }) => rows),
      drawn.flatMap(({ rows, copy, i }) => rows.map(() => `${i} ${copy}`)),
    );
  });
}

/** Share of a figure's variance between people: a one-way analysis of variance, corrected for the number of faces. */
function betweenPeople(values: readonly number[], people: readonly string[]): number {
  const groups = [...new Set(people)].map((person) => values.filter((_, i) => people[i] === person));
  const mean = (of: readonly number[]): number => of.reduce((sum, value) => sum + value, 0) / of.length;
  const all = mean(values);
  const squares = (of: readonly number[], around: number): number => of.reduce((sum, v) => sum + (v - around) ** 2, 0);
  const insideSquares =
    groups.reduce((sum, group) => sum + squares(group, mean(group)), 0) / (values.length - groups.length);
  const betweenSquares =
    groups.reduce((sum, group) => sum + group.length * (mean(group) - all) ** 2, 0) / (groups.length - 1);
  const size = values.length / groups.length;
  const between = Math.max(0, (betweenSquares - insideSquares) / size);
  return between / (between + insideSquares);
}

function quantiles(values: readonly number[], shares: readonly number[]): number[] {
  const sorted = values.toSorted((a, b) => a - b);
  return shares.map((share) => rounded(sorted[Math.round(share * (sorted.length - 1))]!));
}

/** CFP's test people: rows with person and kind. */
const crops = await cfpCrops(join(faces, 'cfp-dev'), join(kept, 'crops'));
const test = crops.filter(({ person }) => testPeople.includes(person));
const people = test.map(({ person }) => person);
const rowsOf = (kind: string): number[] => [...test.keys()].filter((row) => test[row]!.kind === kind);
const [frontal, profile] = [rowsOf('frontal'), rowsOf('profile')];
const crossed = frontal.flatMap((a) => profile.map((b) => [a, b] as const));
const frontals = frontal.flatMap((a, i) => frontal.slice(i + 1).map((b) => [a, b] as const));
const cfpSets = { frontalProfile: pairSet(crossed, people), frontalFrontal: pairSet(frontals, people) };
/** All genuine pairs and five times as many strangers, taken evenly: rejection turns away pairs of both kinds. */
function balanced(pairs: readonly (readonly [number, number])[]): PairSet {
  const genuine = pairs.filter(([a, b]) => people[a] === people[b]);
  const strangers = pairs.filter(([a, b]) => people[a] !== people[b]);
  const every = Math.floor(strangers.length / genuine.length / 5);
  return pairSet([...genuine, ...strangers.filter((_, i) => i % every === 0)], people);
}
const cfpReject = { frontalProfile: balanced(crossed), frontalFrontal: balanced(frontals) };

const sets: Record<string, () => Promise<Pixels[]>> = {
  cfp: async () => test.map(({ face }) => face),
  cfpDamaged: async () => test.map(({ face }, i) => damaged(face, i)),
  ...Object.fromEntries(
    kindsOfMove.map((name) => [
      `cfp-${name}`,
      async () => test.filter((_, i) => i % 5 === 0).map(({ moved }) => moved(name)),
    ]),
  ),
};

const features = new Map<string, Map<string, Features>>(Object.keys(sets).map((set) => [set, new Map()]));
const calibrations = new Map<string, Model['calibration']>();
const digests: Record<string, string> = {};
for (const [name, file] of Object.entries(models)) {
  const model = await open(file);
  digests[name] = model.digest;
  calibrations.set(name, model.calibration);
  for (const [set, load] of Object.entries(sets)) features.get(set)!.set(name, await model.embed(set, load));
}

/** Each fifth face, cut a few pixels beside its place: change of feature and of quality. */
function moves(name: string): Record<string, unknown> {
  const calibration = calibrations.get(name);
  const points = (magnitude: number): number =>
    calibration === undefined ? Number.NaN : qualityScore(magnitude, calibration);
  const whole = features.get('cfp')!.get(name)!;
  const rows = [...test.keys()].filter((i) => i % 5 === 0);
  const changes = kindsOfMove.flatMap((kind) => {
    const { directions, magnitudes } = features.get(`cfp-${kind}`)!.get(name)!;
    return rows.map((row, i) => {
      let cosine = 0;
      for (let d = 0; d < dimension; d++)
        cosine += whole.directions[row * dimension + d]! * directions[i * dimension + d]!;
      return { cosine, points: Math.abs(points(whole.magnitudes[row]!) - points(magnitudes[i]!)) };
    });
  });
  const [cosine, cosine5] = quantiles(
    changes.map((change) => change.cosine),
    [0.5, 0.05],
  );
  const [quality, quality95] = quantiles(
    changes.map((change) => change.points),
    [0.5, 0.95],
  );
  return {
    faces: rows.length,
    moves: kindsOfMove.length,
    cosine: { median: cosine, p5: cosine5 },
    qualityPoints: { median: quality, p95: quality95 },
  };
}

const names = Object.keys(models);
const each = <T>(of: (name: string) => T) => Object.fromEntries(names.map((name) => [name, of(name)]));
const cfp = features.get('cfp')!;
writeResult(candidates.length === 0 ? 'default-loses-nothing' : 'default-loses-nothing-candidates', {
  people: `CFP ${firstTestPerson} to 100 without ${alsoTrained.join(', ')}; intervals: 95 %, over people`,
  digests,
  verification: {
    frontalProfile: verification(cfp, cfpSets.frontalProfile),
    frontalFrontal: verification(cfp, cfpSets.frontalFrontal),
    frontalProfileDamaged: verification(features.get('cfpDamaged')!, cfpSets.frontalProfile),
    frontalFrontalDamaged: verification(features.get('cfpDamaged')!, cfpSets.frontalFrontal),
  },
  shareOfAttainable: {
    frontalProfile: rejection(cfp, cfpReject.frontalProfile),
    frontalFrontal: rejection(cfp, cfpReject.frontalFrontal),
    frontalProfileDamaged: rejection(features.get('cfpDamaged')!, cfpReject.frontalProfile),
  },
  spearmanWithRecognisability: {
    frontal: withDifferences((name) => foretelling(cfp.get(name)!, frontal, { others: frontal, people })),
    profile: withDifferences((name) => foretelling(cfp.get(name)!, profile, { others: frontal, people })),
  },
  varianceBetweenPeople: withDifferences((name) => {
    const { magnitudes } = cfp.get(name)!;
    const lengths = frontal.map((row) => magnitudes[row]!);
    const persons = frontal.map((row) => people[row]!);
    const draws = drawsOfRows(persons, (taken, group) =>
      betweenPeople(
        taken.map((i) => lengths[i]!),
        group,
      ),
    );
    return { value: betweenPeople(lengths, persons), draws };
  }),
  moved: each(moves),
});
