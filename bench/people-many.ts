/**
 * Groups many made-up faces: time, peak memory and accuracy of `groupManyPeople`, and the search for neighbours beside indexes of
 * other libraries.
 *
 *     npx tsx -C magface:source bench/people-many.ts [COUNT] [INDEXES_FOLDER]
 *
 * COUNT faces (default 100,000) have the statistics of the default model's (`support/made-up-faces.ts`), of people with 1 to 400
 * faces.
 * INDEXES_FOLDER/node_modules may hold usearch and hnswlib-wasm; the 50 nearest neighbours of each of 20,000 faces are then searched
 * by each, and recall is the share that it finds of those at a cosine of 0.5 or more. Writes
 * bench/results/people-many-COUNT.json.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { defaultModels, groupManyPeople, type LibraryFace, MagFace, qualityScore } from 'magface';
import { measureClusters } from '../packages/magface/src/eval/clusters/cluster-measures.ts';
import { openScanner } from '../packages/magface/src/people/node/group-many.ts';
import { product, unitRows } from '../packages/magface/src/row-products.ts';
import { faults } from './support/cluster-faults.ts';
import { madeUpFaces } from './support/made-up-faces.ts';
import { writeResult } from './support/result.ts';

await using magface = await MagFace.load({ detector: false });
const { calibration, thresholds, likelihood, embeddingLength: dimension } = magface.model.contract;
const count = Number(process.argv[2] ?? 100_000);
const indexes = process.argv[3];

const { random, person: newPerson, face: faceOf } = madeUpFaces(magface.model.contract);

function madeUp(): { readonly faces: LibraryFace[]; readonly people: Uint32Array } {
  const faces: LibraryFace[] = [];
  const people = new Uint32Array(count);
  for (let person = 0; faces.length < count; person++) {
    const centre = newPerson();
    const size = Math.min(400, Math.ceil(1 / (1 - random()) ** 1.2), count - faces.length);
    for (let k = 0; k < size; k++) {
      const { embedding, magnitude } = faceOf(centre);
      people[faces.length] = person;
      const id = String(faces.length);
      faces.push({ id, photo: id, embedding, quality: qualityScore(magnitude, calibration!) });
    }
  }
  return { faces, people };
}

const digits = (value: number, to = 3): number => Number(value.toPrecision(to));

async function grouping({ faces, people }: ReturnType<typeof madeUp>): Promise<object> {
  const [since, before] = [performance.now(), process.cpuUsage()];
  /** When each scan of all pairs ended, in seconds of processor time. */
  const scans: number[] = [];
  const spent = (): number => {
    const { user, system } = process.cpuUsage(before);
    return digits((user + system) / 1e6);
  };
  const onProgress = (done: number): void => {
    if (done < 1) return;
    scans.push(spent());
    process.stderr.write(`scan ${scans.length} ended after ${scans.at(-1)} s\n`);
  };
  const found = await groupManyPeople(faces, { thresholds, likelihood, onProgress });
  const processorSeconds = spent();
  const clusters = Array.from(faces.keys(), (i) => found.people.length + i);
  for (const [k, person] of found.people.entries()) for (const i of person.faces) clusters[i] = k;
  const { bcubed } = measureClusters(clusters, people);
  return {
    truePeople: people.at(-1)! + 1,
    people: found.people.length,
    unplaced: found.unplaced.length,
    seconds: digits((performance.now() - since) / 1000),
    processorSeconds,
    scansEndAfter: scans,
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
  const versionOf = (name: string): string =>
    JSON.parse(readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8')).version;
  return [
    {
      name: `usearch ${versionOf('usearch')}`,
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
      name: `hnswlib-wasm ${versionOf('hnswlib-wasm')}`,
      search: async (rows, wanted) => {
        // Built for browsers: it asks whether there is a window, and opens a database that is not used here.
        Object.assign(globalThis, { window: globalThis, document: {}, indexedDB: { open: () => ({}) } });
        const { loadHnswlib } = await import(join(resolve(folder), 'node_modules/hnswlib-wasm/dist/hnswlib.js'));
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

/** Of the 50 most similar faces of each, those at or above a cosine: how many an index finds, beside the exact products. */
async function neighbours(rows: readonly Float32Array[], least: number): Promise<object[]> {
  const wanted = 50;
  const started = process.cpuUsage();
  const units = unitRows(rows);
  const near: (readonly [other: number, cosine: number])[][] = rows.map(() => []);
  const visit = (i: number, j: number): void => {
    const cosine = product(units, i * dimension, units, j * dimension, dimension);
    if (cosine < least) return;
    near[i]!.push([j, cosine]);
    near[j]!.push([i, cosine]);
  };
  await using scanner = await openScanner(undefined);
  await scanner.scan({ rows: units, dimension, least, visit });
  const exact = near.map(
    (list) =>
      new Set(
        [...list]
          .sort((a, b) => b[1] - a[1])
          .slice(0, wanted - 1)
          .map(([other]) => other),
      ), // the face itself is found too
  );
  const pairs = exact.reduce((sum, { size }) => sum + size, 0);
  const own = {
    name: 'all pairs, as groupManyPeople compares them',
    processorSeconds: digits(process.cpuUsage(started).user / 1e6),
    recall: 1,
  };
  const results: object[] = [own];
  for (const { name, search } of indexesOf(indexes!)) {
    const before = process.cpuUsage();
    try {
      const found = await search(rows, wanted);
      const processorSeconds = digits(process.cpuUsage(before).user / 1e6);
      const right = found.reduce(
        (sum, list, i) => sum + Array.from(list, Number).filter((j) => exact[i]!.has(j)).length,
        0,
      );
      results.push({ name, processorSeconds, recall: digits(right / pairs, 4) });
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
