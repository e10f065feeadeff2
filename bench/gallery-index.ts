/**
 * pgvector's HNSW index beside an exact search, among 10,000 and 100,000 people:
 *
 *     npx tsx -C magface:source bench/gallery-index.ts [PEOPLE...] [--server postgres://...]
 *
 * Templates and queries are made up with the statistics of the default model's (`support/made-up-faces.ts`): a query is a face of an
 * enrolled person. Without a server PGlite's pgvector answers, in this process. The index has pgvector's own settings (16 links, 64
 * candidates while building); while searching, `hnsw.ef_search` grows from 40 (pgvector's default) to 1,000; `Gallery` uses 1,000.
 * Recall is the share of the exact answers. Beside them is the search of a gallery in a folder: every template as
 * bytes, in memory. Writes bench/results/gallery-index.json.
 */
import { PGlite } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';
import { defaultModels, MagFace } from 'magface';
import pg from 'pg';
import { TemplateScan } from '../packages/magface/src/gallery/template-scan.ts';
import { madeUpFaces } from './support/made-up-faces.ts';
import { writeResult } from './support/result.ts';

const words = process.argv.slice(2);
const at = words.indexOf('--server');
const server = at < 0 ? undefined : words[at + 1];
const sizes = words.filter((word) => /^\d+$/.test(word)).map(Number);

await using magface = await MagFace.load({ detector: false });
const { embeddingLength: dimension } = magface.model.contract;
const [queries, limit] = [200, 5];
const efSearch = [40, 100, 200, 400, 1000];

type Query = <Row>(sql: string) => Promise<Row[]>;

async function connect(): Promise<{ readonly query: Query; close(): Promise<void> }> {
  if (server === undefined) {
    const database = await PGlite.create({ extensions: { vector } });
    return {
      query: async <Row>(sql: string) => (await database.query<Row>(sql)).rows,
      close: () => database.close(),
    };
  }
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  return { query: async <Row>(sql: string) => (await client.query(sql)).rows as Row[], close: () => client.end() };
}

const rounded = (value: number): number => Number(value.toPrecision(3));
const quantile = (values: readonly number[], p: number): number =>
  rounded([...values].sort((a, b) => a - b)[Math.floor(p * (values.length - 1))]!);
const times = (values: readonly number[]) => ({ p50: quantile(values, 0.5), p99: quantile(values, 0.99) });

/** Answers of all queries, with their times. */
async function ask(probes: readonly Float32Array[], search: (probe: Float32Array) => Promise<readonly string[]>) {
  const [found, wall, cpu]: [(readonly string[])[], number[], number[]] = [[], [], []];
  for (const probe of probes) {
    const [since, before] = [performance.now(), process.cpuUsage()];
    found.push(await search(probe));
    const used = process.cpuUsage(before);
    wall.push(performance.now() - since);
    cpu.push((used.user + used.system) / 1000);
  }
  return { found, ms: times(wall), ...(server === undefined && { processorMs: times(cpu) }) };
}

type Answers = Awaited<ReturnType<typeof ask>>;

function beside({ found, ...taken }: Answers, exact: Answers): object {
  const all = found.flatMap((ids, q) => ids.filter((id) => exact.found[q]!.includes(id)));
  const first = found.filter((ids, q) => ids[0] === exact.found[q]![0]).length;
  return { ...taken, recallAt1: first / queries, [`recallAt${limit}`]: all.length / (queries * limit) };
}

async function measure(people: number): Promise<object> {
  const { random, person, face, template } = madeUpFaces(magface.model.contract);
  const centres = Array.from({ length: people }, person);
  const probes = Array.from({ length: queries }, () => face(centres[Math.floor(random() * people)]!).embedding);
  const { query, close } = await connect();
  await query('create extension if not exists vector');
  const [engine] = await query<{ postgres: string; pgvector: string }>(
    "select current_setting('server_version') as postgres, extversion as pgvector from pg_extension where extname = 'vector'",
  );
  await query('drop table if exists magface_bench');
  await query(`create table magface_bench (id int primary key, template vector(${dimension}) not null)`);
  await using scan = await TemplateScan.open(dimension);
  for (let from = 0; from < people; from += 200) {
    const rows = centres.slice(from, from + 200).map((centre, k) => {
      const row = template(centre);
      return { id: from + k, row };
    });
    for (const { id, row } of rows) await scan.set(String(id), row);
    await query(
      `insert into magface_bench values ${rows.map(({ id, row }) => `(${id}, '[${row.join(',')}]')`).join(',')}`,
    );
  }
  const nearest = async (probe: Float32Array): Promise<string[]> => {
    const rows = await query<{ id: number }>(
      `select id from magface_bench order by template <=> '[${probe.join(',')}]' limit ${limit}`,
    );
    return rows.map(({ id }) => String(id));
  };
  const exact = await ask(probes, nearest);
  process.stderr.write(`${people} people, exact: ${JSON.stringify(exact.ms)}\n`);
  await query("set maintenance_work_mem = '1GB'");
  const [since, before] = [performance.now(), process.cpuUsage()];
  await query('create index magface_bench_index on magface_bench using hnsw (template vector_cosine_ops)');
  const building = {
    buildSeconds: rounded((performance.now() - since) / 1000),
    ...(server === undefined && { buildProcessorSeconds: rounded(process.cpuUsage(before).user / 1e6) }),
  };
  process.stderr.write(`${JSON.stringify(building)}\n`);
  const [size] = await query<{ index: number; table: number }>(
    `select (pg_relation_size('magface_bench_index') / 1048576)::int as index,
       (pg_total_relation_size('magface_bench') / 1048576)::int - (pg_indexes_size('magface_bench') / 1048576)::int as table`,
  );
  await query('set enable_seqscan = off');
  const hnsw: object[] = [];
  for (const candidates of efSearch) {
    await query(`set hnsw.ef_search = ${candidates}`);
    hnsw.push({ efSearch: candidates, ...beside(await ask(probes, nearest), exact) });
    process.stderr.write(`${JSON.stringify(hnsw.at(-1))}\n`);
  }
  await close();
  const inMemory = await ask(probes, (probe) => scan.candidates(probe, limit));
  const { found, ...exactly } = exact;
  const { found: candidates, ...taken } = inMemory;
  const missed = found.filter((ids, q) => ids.some((id) => !candidates[q]!.includes(id))).length;
  return {
    ...{ people, dimension, queries, limit, engine: { ...engine, where: server === undefined ? 'PGlite' : 'server' } },
    exact: exactly,
    hnsw: {
      links: 16,
      candidatesWhileBuilding: 64,
      ...building,
      indexMiB: size!.index,
      tableMiB: size!.table,
      searches: hnsw,
    },
    folder: { how: 'every template as bytes, in memory', ...taken, queriesThatMissOne: missed },
  };
}

const results: object[] = [];
for (const people of sizes.length > 0 ? sizes : [10_000, 100_000]) {
  results.push(await measure(people));
  // The larger gallery takes long: what is measured is kept.
  writeResult('gallery-index', { model: defaultModels.recogniser, results });
}
