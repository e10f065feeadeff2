/** Output files of a suite: a page, and its data as JSON and CSV. */
import { createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import type { ThresholdEstimate } from '../../eval/bootstrap.ts';
import type { EvaluatedSet } from '../../report/evaluated-set.ts';
import type { Provenance } from '../../report/ranking-section.ts';
import { type Column, createRows } from '../output.ts';
import { figureColumns } from './columns.ts';
import { type CurvePoint, curveColumns, curvePoints } from './curves.ts';
import type { SetRecord } from './set.ts';

/** A set, or a set with one model, that failed. */
export interface SuiteFailure {
  readonly set: string;
  /** Absent if the set could not be read. */
  readonly model?: string;
  readonly message: string;
}

/** Results of a suite. */
export interface SuiteResult {
  readonly title: string;
  readonly sets: (EvaluatedSet & { readonly records: readonly SetRecord[] })[];
  readonly failures: SuiteFailure[];
  /** What was read, each with its digests: models and sets. */
  readonly inputs: Map<string, string>;
  readonly provenance?: Provenance;
}

type OfSet<Row> = Row & { readonly set: string };

/** Writes report.html, results.json, results.csv, thresholds.csv and curves.csv. */
export async function writeSuite(folder: string, result: SuiteResult): Promise<void> {
  const { title, sets, failures } = result;
  const records = sets.flatMap((set) => set.records);
  const curves = sets.flatMap(({ name, reports }) =>
    reports.flatMap(curvePoints).map((point): OfSet<CurvePoint> => ({ set: name, ...point })),
  );
  const thresholds = sets.flatMap(({ name, reports }) =>
    reports.flatMap(({ model, thresholds: points }) => points.map((point) => ({ set: name, model, ...point }))),
  );
  await writePage(join(folder, 'report.html'), result);
  const full = sets.map(({ name, notes, reports, comparisons }) => ({ set: name, notes, reports, comparisons }));
  await writeFile(join(folder, 'results.json'), `${JSON.stringify({ title, sets: full, failures }, null, 2)}\n`);
  await writeTable(join(folder, 'results.csv'), records, figureColumns(records));
  await writeTable(join(folder, 'thresholds.csv'), thresholds, thresholdColumns);
  await writeTable(join(folder, 'curves.csv'), curves, [{ title: 'set', value: ({ set }) => set }, ...curveColumns]);
}

/** The page alone. */
export async function writePage(file: string, { title, sets, failures, provenance }: SuiteResult): Promise<void> {
  const { evaluationPage } = await import('../../report/evaluation-page.ts');
  const lost = failures.map(
    ({ set, model, message }) => `${set}${model === undefined ? '' : ` with ${model}`}: ${message}`,
  );
  await writeFile(file, evaluationPage({ title, sets, failures: lost, provenance }));
}

async function writeTable<Row>(file: string, rows: readonly Row[], table: readonly Column<Row>[]): Promise<void> {
  const stream = createWriteStream(file);
  const writer = createRows<Row>(stream, { format: 'csv', table });
  for (const row of rows) await writer.write(row);
  await writer.close();
  stream.end();
  await finished(stream);
}

const thresholdColumns: readonly Column<OfSet<ThresholdEstimate & { readonly model: string }>>[] = [
  { title: 'set', value: ({ set }) => set },
  { title: 'model', value: ({ model }) => model },
  { title: 'fmr [fraction]', value: ({ far }) => far },
  { title: 'threshold [cosine]', value: ({ threshold }) => threshold },
  { title: 'thresholdLow [cosine]', value: ({ thresholdInterval }) => thresholdInterval[0] },
  { title: 'thresholdHigh [cosine]', value: ({ thresholdInterval }) => thresholdInterval[1] },
  { title: 'tar [fraction]', value: ({ tar }) => tar },
  { title: 'tarLow [fraction]', value: ({ tarInterval }) => tarInterval[0] },
  { title: 'tarHigh [fraction]', value: ({ tarInterval }) => tarInterval[1] },
];
