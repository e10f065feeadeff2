/** Searches the templates of a gallery: with pgvector on a server, in memory for a folder. */
import type { Database, Query } from '../database/database.ts';
import { TemplateScan } from './template-scan.ts';
import type { Vault } from './vault.ts';

/** A person's row in a search. */
export interface TemplateRow {
  readonly id: string;
  readonly name: string;
  readonly faces: number;
  readonly template: string;
}

/** @returns SQL for the rows, without a condition */
export const templateRows = ({ vectorOut }: Vault): string =>
  `select id, name, faces, ${vectorOut('template')} as template from magface_people`;

interface IndexSearch {
  readonly query: Float32Array;
  readonly limit: number;
  readonly vault: Vault;
}

/** The most that pgvector takes. With 200, the best of 100,000 people was missed by 4 % of the queries of bench/gallery-index.ts. */
const mostCandidates = 1000;

/** PostgreSQL's own search through pgvector's index. */
export function searchIndex(database: Database, { query: wanted, limit, vault }: IndexSearch): Promise<TemplateRow[]> {
  return database.transaction(async (query) => {
    await query(`set local hnsw.ef_search = ${mostCandidates}`);
    if ((await estimatedPeople(query)) <= exactUpTo) await query('set local enable_indexscan = off');
    const text = `[${wanted.join(',')}]`;
    return query<TemplateRow>(`${templateRows(vault)} order by template <=> $1::vector limit $2`, [text, limit]);
  });
}

/** Templates per query. */
const page = 2000;

/** @returns everybody's templates in memory */
export async function loadScan(query: Query, vault: Vault, dimension: number): Promise<TemplateScan> {
  const scan = await TemplateScan.open(dimension);
  try {
    for (let last = '', read = page; read === page; ) {
      const rows = await query<TemplateRow>(`${templateRows(vault)} where id > $1 order by id limit ${page}`, [last]);
      for (const { id, template } of rows) await scan.set(id, vault.openIndexed(template, ['template', id]));
      read = rows.length;
      last = rows.at(-1)?.id ?? last;
    }
    return scan;
  } catch (error) {
    await scan[Symbol.asyncDispose]();
    throw error;
  }
}

/** Up to this many people every template is compared: this takes ten milliseconds and misses nobody. */
const exactUpTo = 5000;

/** Counting thousands of rows is as slow as a search, so the count stops early. */
async function estimatedPeople(query: Query): Promise<number> {
  const [row] = await query<{ people: number }>(
    `select count(*)::int as people from (select 1 from magface_people limit ${exactUpTo + 1}) as enough`,
  );
  return row!.people;
}
