/**
 * Tests a large gallery in a folder, and one whose process is killed while enrolling:
 *
 *     npx tsx bench/gallery.ts [search] [index] [kill] [--people N]
 *
 * search: N people (default 100,000) with synthetic directions in 128 of 512 dimensions, because face embeddings have few
 * effective dimensions; queries show the same people at a cosine of about 0.7. Recall is relative to an exhaustive search.
 * index: the same with pgvector's index, as on a server; building it takes long in PGlite. kill: a process enrols people
 * and reports each, and is killed with SIGKILL; everyone it reported must be stored. Writes bench/results/gallery-PART.json.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PGlite } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import { type Database, openDatabase } from '../packages/magface/src/database/database.ts';
import { Gallery } from '../packages/magface/src/gallery/gallery.ts';
import { asGallery } from '../packages/magface/src/gallery/schema.ts';
import { randomStream } from '../packages/magface/src/random.ts';
import { writeResult } from './support/result.ts';

const dimension = 512;
const model = { name: 'made up', digest: 'a'.repeat(64), embeddingLength: dimension };
const random = randomStream(1);
const gaussian = (): number => random() + random() + random() + random() - 2;
const given = process.argv.indexOf('--people');
const people = given < 0 ? 100_000 : Number(process.argv[given + 1]);

const [inner, mixing] = [128, Float32Array.from({ length: 128 * dimension }, gaussian)];

/** A unit vector, from its few inner coordinates. */
function direction(z: Float32Array): Float32Array {
  const vector = new Float32Array(dimension);
  for (let i = 0; i < inner; i++) for (let d = 0; d < dimension; d++) vector[d]! += z[i]! * mixing[i * dimension + d]!;
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  return vector.map((value) => value / length);
}

const rounded = (value: number): number => Number(value.toPrecision(3));
const quantile = (values: readonly number[], p: number): number =>
  rounded([...values].sort((a, b) => a - b)[Math.floor(p * (values.length - 1))]!);

interface Strangers {
  readonly coordinates: readonly Float32Array[];
  readonly vectors: readonly Float32Array[];
}

function strangers(): Strangers {
  const coordinates = Array.from({ length: people }, () => Float32Array.from({ length: inner }, gaussian));
  return { coordinates, vectors: coordinates.map(direction) };
}

async function search(): Promise<object> {
  const folder = mkdtempSync(join(tmpdir(), 'magface-gallery-'));
  await (await Gallery.open(folder, model))[Symbol.asyncDispose]();
  const known = strangers();
  const database = await openDatabase(folder, { purpose: asGallery });
  await fill(database, known.vectors);
  await database.close();
  const before = process.memoryUsage();
  const gallery = await Gallery.open(folder, model);
  const since = performance.now();
  await gallery.search(known.vectors[0]!);
  const loading = (performance.now() - since) / 1000;
  const after = process.memoryUsage();
  const found = await ask(gallery, known);
  await gallery[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
  const bytesMiB = Math.round((after.arrayBuffers - before.arrayBuffers) / 2 ** 20);
  return { people, dimension, how: 'everybody', firstSearchSeconds: rounded(loading), bytesMiB, ...found };
}

/** The same queries to a server's index, over the network protocol. */
async function index(): Promise<object> {
  const database = await PGlite.create({ extensions: { vector } });
  const server = new PGLiteSocketServer({ db: database, port: 0, host: '127.0.0.1' });
  const listening = new Promise<string>((resolve) => {
    server.addEventListener('listening', (event) => {
      const { port } = (event as CustomEvent<{ port: number }>).detail;
      resolve(`postgres://postgres@127.0.0.1:${port}/postgres`);
    });
  });
  await server.start();
  const address = await listening;
  const gallery = await Gallery.open(address, model);
  const known = strangers();
  const query = async <Row>(sql: string): Promise<Row[]> => (await database.query<Row>(sql)).rows;
  await query('drop index magface_people_template_idx');
  await fill({ query }, known.vectors);
  const before = process.cpuUsage();
  await query("set maintenance_work_mem = '1GB'");
  await query('create index on magface_people using hnsw (template vector_cosine_ops)');
  const indexCpuSeconds = Math.round(process.cpuUsage(before).user / 1e6);
  const found = await ask(gallery, known);
  await gallery[Symbol.asyncDispose]();
  await server.stop();
  await database.close();
  return { people, dimension, how: 'hnsw, ef_search 1000', indexCpuSeconds, ...found };
}

/** Queries of known people, and whether the five best equal those of an exhaustive search. */
async function ask(gallery: Gallery, { coordinates, vectors }: Strangers): Promise<object> {
  const [wall, cpu]: [number[], number[]] = [[], []];
  const [queries, limit] = [200, 5];
  let [first, five] = [0, 0];
  for (let q = 0; q < queries; q++) {
    const z = coordinates[Math.floor(random() * people)]!;
    const query = direction(z.map((value) => value + gaussian()));
    const [since, before] = [performance.now(), process.cpuUsage()];
    const matches = await gallery.search(query, { limit });
    const used = process.cpuUsage(before);
    wall.push(performance.now() - since);
    cpu.push((used.user + used.system) / 1000);
    const best = nearest(vectors, query, limit);
    if (matches[0]?.person === `p${best[0]}`) first++;
    five += matches.filter(({ person }) => best.includes(Number(person.slice(1)))).length;
  }
  const times = (values: readonly number[]) => ({ p50: quantile(values, 0.5), p99: quantile(values, 0.99) });
  const recall = { recallAt1: first / queries, recallAt5: five / queries / limit };
  return { queries, limit, searchMs: times(wall), searchCpuMs: times(cpu), ...recall };
}

/** Inserts in bulk, bypassing `enrol`, because this benchmark measures searches. */
async function fill({ query }: Pick<Database, 'query'>, vectors: readonly Float32Array[]): Promise<void> {
  for (let at = 0; at < vectors.length; at += 200) {
    const rows = vectors.slice(at, at + 200).map((v, k) => `('p${at + k}', '${model.digest}', '[${v.join(',')}]', 1)`);
    await query(`insert into magface_people values ${rows.join(',')}`);
  }
}

function nearest(vectors: readonly Float32Array[], query: Float32Array, limit: number): number[] {
  const products = vectors.map((vector) => {
    let dot = 0;
    for (let d = 0; d < dimension; d++) dot += vector[d]! * query[d]!;
    return dot;
  });
  const order = Float64Array.from(products).sort().reverse();
  return products
    .flatMap((dot, at) => (dot >= order[limit - 1]! ? [at] : []))
    .sort((a, b) => products[b]! - products[a]!);
}

/** The process that `kill` kills. */
async function enrolForever(folder: string): Promise<void> {
  const gallery = await Gallery.open(folder, model);
  for (let k = 0; ; k++) {
    const { face } = await gallery.enrol(`p${k % 50}`, {
      embedding: Float32Array.from({ length: dimension }, gaussian),
    });
    process.stdout.write(`${face}\n`);
  }
}

async function kill(): Promise<object> {
  const folder = mkdtempSync(join(tmpdir(), 'magface-gallery-'));
  const acknowledged = new Set<number>();
  let kills = 0;
  while (acknowledged.size < 1000) {
    const words = [...process.execArgv, fileURLToPath(import.meta.url), 'enrol', folder];
    const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
    const until = acknowledged.size + 50 + Math.floor(random() * 150);
    let rest = '';
    child.stdout.on('data', (data: Buffer) => {
      const lines = (rest + data).split('\n');
      rest = lines.pop()!;
      for (const line of lines) acknowledged.add(Number(line));
      if (acknowledged.size >= until) child.kill('SIGKILL');
    });
    await new Promise((resolve) => child.on('close', resolve));
    kills++;
  }
  const database = await openDatabase(folder, { purpose: asGallery });
  const rows = await database.query<{ id: number }>('select id from magface_faces');
  const kept = new Set(rows.map(({ id }) => Number(id)));
  const [sums] = await database.query<{ faces: number }>('select sum(faces)::int as faces from magface_people');
  await database.close();
  rmSync(folder, { recursive: true });
  const lost = [...acknowledged].filter((face) => !kept.has(face)).length;
  return { kills, acknowledged: acknowledged.size, kept: kept.size, lost, countsAgree: sums!.faces === kept.size };
}

const parts = { search, index, kill } as const;
const asked = process.argv.slice(2);
if (asked[0] === 'enrol') await enrolForever(asked[1]!);
for (const [name, part] of Object.entries(parts))
  if (asked.includes(name) || !Object.keys(parts).some((other) => asked.includes(other)))
    writeResult(`gallery-${name}`, { ...(await part()) });
