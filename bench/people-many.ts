/**
 * Groups many made-up faces: time, peak memory and accuracy of `groupManyPeople`, and the search for neighbours beside indexes of
 * other libraries.
 *
 *     npx tsx -C magface:source bench/people-many.ts [COUNT] [INDEXES_FOLDER]
 *
 * COUNT faces (default 100,000) have the statistics of the default model's: directions within 170 of 512 dimensions, of which 82
 * are effective, magnitudes around an ordinary face's, the agreement of the model's record, and people with 1 to 400 faces.
 * INDEXES_FOLDER/node_modules may hold usearch and hnswlib-wasm; the neighbours of 20,000 faces are then searched by
 * each, and recall is the share of pairs found that reach the threshold of the grouping. Writes
 * bench/results/people-many-COUNT.json.
 */
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { defaultModels, groupManyPeople, type LibraryFace, MagFace, qualityScore } from 'magface';
import { measureClusters } from '../packages/magface/src/eval/clusters/cluster-measures.ts';
import { randomStream } from '../packages/magface/src/random.ts';
import { eachPair, unitRows } from '../packages/magface/src/row-products.ts';
import { faults } from './support/cluster-faults.ts';
import { writeResult } from './support/result.ts';

await using magface = await MagFace.load({ detector: false });
const { calibration, thresholds, likelihood, embeddingLength: dimension } = magface.model.contract;
const count = Number(process.argv[2] ?? 100_000);
const indexes = process.argv[3];

const random = randomStream(1);
const gaussian = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
/** Standard deviations fall so that (Σ σ²)² / Σ σ⁴ is 82. */
const spread = Float64Array.from({ length: 170 }, (_, k) => Math.exp(-k / 82));
const mirrors = [0, 1].map(() => unitRows([Float32Array.from({ length: dimension }, gaussian)]));

/** @returns a direction of length 1, in the inner coordinates */
function innerDirection(): Float64Array {
  const row = spread.map((deviation) => deviation * gaussian());
  const length = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
  return row.map((value) => value / length);
}

/** Two reflections: every value of the embedding depends on every inner one. */
function embeddingOf(inner: Float64Array, length: number): Float32Array {
  const row = new Float32Array(dimension);
  row.set(inner);
  for (const mirror of mirrors) {
    const along = 2 * row.reduce((sum, value, d) => sum + value * mirror[d]!, 0);
    for (let d = 0; d < dimension; d++) row[d]! -= along * mirror[d]!;
  }
  return row.map((value) => value * length);
}

const [g0, g1] = likelihood!.agreement!;

function madeUp(): { readonly faces: LibraryFace[]; readonly people: Uint32Array } {
  const faces: LibraryFace[] = [];
  const people = new Uint32Array(count);
  for (let person = 0; faces.length < count; person++) {
    const centre = innerDirection();
    const size = Math.min(400, Math.ceil(1 / (1 - random()) ** 1.2), count - faces.length);
    for (let k = 0; k < size; k++) {
      const u = random();
      const side = u < 0.5 ? calibration!.widthBelow! : calibration!.width;
      const magnitude = Math.max(1.5, calibration!.centre + side * Math.log(u / (1 - u)));
      const r = 1 / (1 + Math.exp(-g0 - g1 * magnitude));
      const noise = innerDirection();
      const inner = centre.map((value, d) => r * value + Math.sqrt(1 - r * r) * noise[d]!);
      people[faces.length] = person;
      const id = String(faces.length);
      const embedding = embeddingOf(inner, magnitude);
      faces.push({ id, photo: id, embedding, quality: qualityScore(magnitude, calibration!) });
    }
  }
  return { faces, people };
}

const digits = (value: number, to = 3): number => Number(value.toPrecision(to));

async function grouping({ faces, people }: ReturnType<typeof madeUp>): Promise<object> {
  const [since, before] = [performance.now(), process.cpuUsage()];
  const found = await groupManyPeople(faces, { thresholds, likelihood });
  const used = process.cpuUsage(before);
  const clusters = Array.from(faces.keys(), (i) => found.people.length + i);
  for (const [k, person] of found.people.entries()) for (const i of person.faces) clusters[i] = k;
  const { bcubed } = measureClusters(clusters, people);
  return {
    truePeople: people.at(-1)! + 1,
    people: found.people.length,
    unplaced: found.unplaced.length,
    seconds: digits((performance.now() - since) / 1000),
    processorSeconds: digits((used.user + used.system) / 1e6),
    peakMemoryGiB: digits(process.resourceUsage().maxRSS / 2 ** 20),
    bcubed: { precision: digits(bcubed.precision!, 4), recall: digits(bcubed.recall!, 4), f: digits(bcubed.f!, 4) },
    ...faults(clusters, people),
    expectedWrongMerges: digits(found.expectedWrongMerges),
    threshold: digits(found.threshold),
  };
}

type Index = {
  readonly name: string;
  readonly search: (rows: readonly Float32Array[], wanted: number) => Promise<ArrayLike<number | bigint>[]>;
};

/** The indexes of the folder, with settings for high recall: 16 links, 200 candidates while building, 200 while searching. */
function indexesOf(folder: string): Index[] {
  const load = createRequire(join(resolve(folder), 'package.json'));
  return [
    {
      name: `usearch ${load('usearch/package.json').version}`,
      search: async (rows, wanted) => {
        const { Index } = load('usearch');
        const index = new Index({
          ...{ metric: 'cos', connectivity: 16, dimensions: dimension, quantization: 'f32' },
          ...{ expansion_add: 200, expansion_search: 200, multi: false },
        });
        for (const [i, row] of rows.entries()) index.add(BigInt(i), row);
        return rows.map((row) => index.search(row, wanted, 1).keys as BigUint64Array);
      },
    },
    {
      name: `hnswlib-wasm ${load('hnswlib-wasm/package.json').version}`,
      search: async (rows, wanted) => {
        const { loadHnswlib } = await import(load.resolve('hnswlib-wasm'));
        const library = await loadHnswlib();
        const index = new library.HierarchicalNSW('cosine', dimension, '');
        index.initIndex(rows.length, 16, 200, 1);
        index.setEfSearch(200);
        for (const [i, row] of rows.entries()) index.addPoint(row, i, false);
        return rows.map((row) => index.searchKnn(row, wanted, undefined).neighbors as number[]);
      },
    },
  ];
}

/** Pairs at or above a cosine that an index finds among the 50 nearest of each face, beside the exact products. */
async function neighbours(rows: readonly Float32Array[], least: number): Promise<object[]> {
  const wanted = 50;
  const exact = new Set<number>();
  const started = process.cpuUsage();
  eachPair(unitRows(rows), dimension, (i, j, cosine) => {
    if (cosine >= least) exact.add(i * rows.length + j);
  });
  const own = {
    name: 'all pairs, in JavaScript',
    processorSeconds: digits(process.cpuUsage(started).user / 1e6),
    recall: 1,
  };
  const results: object[] = [own];
  for (const { name, search } of indexesOf(indexes!)) {
    const before = process.cpuUsage();
    try {
      const found = await search(rows, wanted);
      const pairs = new Set<number>();
      found.forEach((list, i) => {
        for (const other of Array.from(list, Number)) {
          const key = Math.min(i, other) * rows.length + Math.max(i, other);
          if (exact.has(key)) pairs.add(key);
        }
      });
      const processorSeconds = digits(process.cpuUsage(before).user / 1e6);
      results.push({ name, processorSeconds, recall: digits(pairs.size / exact.size, 4) });
    } catch (error) {
      results.push({ name, problem: String(error).split('\n')[0] });
    }
  }
  return results;
}

const made = madeUp();
const grouped = await grouping(made);
process.stderr.write(`${JSON.stringify(grouped)}\n`);
const some = made.faces.slice(0, 20_000).map(({ embedding }) => embedding);
writeResult(`people-many-${count}`, {
  model: defaultModels.recogniser,
  faces: count,
  groupManyPeople: grouped,
  ...(indexes === undefined ? {} : { neighboursOf: some.length, cosine: 0.5, neighbours: await neighbours(some, 0.5) }),
});
