/**
 * The gallery in a folder at size, and killed in the middle of enrolling:
 *
 *     npx tsx bench/gallery.ts [search] [kill] [--people N]
 *
 * search: N people (100,000 unless told) of made-up directions that live in 128 of 512 dimensions, as embeddings of faces
 * live in few; queries are people seen again at a cosine of about 0.7. Recall is against comparing with everybody. kill: a
 * process enrols and says each; it is killed with SIGKILL, and all that it said must be there. Writes
 * bench/results/gallery-PART.json.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openDatabase } from '../packages/magface/src/gallery/database.ts';
import { Gallery } from '../packages/magface/src/gallery/gallery.ts';
import { randomStream } from '../packages/magface/src/random.ts';
import { writeResult } from './support/result.ts';

const dimension = 512;
const model = { name: 'made up', digest: 'a'.repeat(64), embeddingLength: dimension };
const random = randomStream(1);
const gaussian = (): number => random() + random() + random() + random() - 2;
const given = process.argv.indexOf('--people');
const people = given < 0 ? 100_000 : Number(process.argv[given + 1]);

const [inner, mixing] = [128, Float32Array.from({ length: 128 * dimension }, gaussian)];

/** A direction of length 1, from its few inner coordinates. */
function direction(z: Float32Array): Float32Array {
  const vector = new Float32Array(dimension);
  for (let i = 0; i < inner; i++) for (let d = 0; d < dimension; d++) vector[d]! += z[i]! * mixing[i * dimension + d]!;
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

const quantile = (values: readonly number[], p: number): number =>
  Number([...values].sort((a, b) => a - b)[Math.floor(p * (values.length - 1))]!.toPrecision(3));

async function search(): Promise<object> {
  const folder = mkdtempSync(join(tmpdir(), 'magface-gallery-'));
  await (await Gallery.open(folder, model))[Symbol.asyncDispose]();
  const coordinates = Array.from({ length: people }, () => Float32Array.from({ length: inner }, gaussian));
  const vectors = coordinates.map(direction);
  const built = await fill(folder, vectors);
  const gallery = await Gallery.open(folder, model);
  const [wall, cpu]: [number[], number[]] = [[], []];
  let found = 0;
  const queries = 200;
  for (let q = 0; q < queries; q++) {
    const z = coordinates[Math.floor(random() * people)]!;
    const query = direction(z.map((value) => value + gaussian()));
    const [since, before] = [performance.now(), process.cpuUsage()];
    const matches = await gallery.search(query, { limit: 1 });
    const used = process.cpuUsage(before);
    wall.push(performance.now() - since);
    cpu.push((used.user + used.system) / 1000);
    if (matches[0]?.person === `p${nearest(vectors, query)}`) found++;
  }
  await gallery[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
  const times = (values: readonly number[]) => ({ p50: quantile(values, 0.5), p99: quantile(values, 0.99) });
  return { people, dimension, ...built, searchMs: times(wall), searchCpuMs: times(cpu), recallAt1: found / queries };
}

/** In bulk, past `enrol`, with the index built afterwards: this benchmark is of searching. */
async function fill(folder: string, vectors: readonly Float32Array[]): Promise<{ indexCpuSeconds: number }> {
  const database = await openDatabase(folder);
  await database.query('drop index if exists magface_people_template_idx');
  for (let at = 0; at < vectors.length; at += 200) {
    const rows = vectors.slice(at, at + 200).map((v, k) => `('p${at + k}', '${model.digest}', '[${v.join(',')}]', 1)`);
    await database.query(`insert into magface_people values ${rows.join(',')}`);
  }
  const before = process.cpuUsage();
  await database.query("set maintenance_work_mem = '1GB'");
  await database.query('create index on magface_people using hnsw (template vector_cosine_ops)');
  const indexCpuSeconds = Math.round(process.cpuUsage(before).user / 1e6);
  await database.close();
  return { indexCpuSeconds };
}

function nearest(vectors: readonly Float32Array[], query: Float32Array): number {
  let [best, at] = [-2, -1];
  for (const [i, vector] of vectors.entries()) {
    let dot = 0;
    for (let d = 0; d < dimension; d++) dot += vector[d]! * query[d]!;
    if (dot > best) [best, at] = [dot, i];
  }
  return at;
}

/** The other side of `kill`. */
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
  const database = await openDatabase(folder);
  const rows = await database.query<{ id: number }>('select id from magface_faces');
  const kept = new Set(rows.map(({ id }) => Number(id)));
  const [sums] = await database.query<{ faces: number }>('select sum(faces)::int as faces from magface_people');
  await database.close();
  rmSync(folder, { recursive: true });
  const lost = [...acknowledged].filter((face) => !kept.has(face)).length;
  return { kills, acknowledged: acknowledged.size, kept: kept.size, lost, countsAgree: sums!.faces === kept.size };
}

const parts = { search, kill } as const;
const asked = process.argv.slice(2);
if (asked[0] === 'enrol') await enrolForever(asked[1]!);
for (const [name, part] of Object.entries(parts))
  if (asked.includes(name) || !Object.keys(parts).some((other) => asked.includes(other)))
    writeResult(`gallery-${name}`, { ...(await part()) });
