/**
 * Writes a run into MLflow's file store, the folder that `mlflow ui --backend-store-uri` shows: an experiment's folder holds
 * a folder per run with `meta.yaml`, and a file per metric, parameter and tag.
 *
 * @see mlflow/store/tracking/file_store.py of MLflow 1 to 3
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parse, stringify } from 'yaml';
import { makeFolder } from '../../machine/make-folder.ts';
import type { RecordedRun } from './recorded-run.ts';

/** MLflow's numbers of a run's status. */
const status = { running: 1, finished: 3 } as const;
/** MLflow's number of runs that were started on this machine. */
const localSource = 4;
/** Longest value of a parameter that every version takes. */
const longestParameter = 500;

/**
 * Replaces an earlier export of the run.
 *
 * @param store - the folder, usually `mlruns`; made if it does not exist
 * @param experiment - name of the experiment, which is made if it does not exist
 * @returns the run's folder
 */
export async function writeMlflowRun(run: RecordedRun, store: string, experiment: string): Promise<string> {
  const { id, folder } = await openExperiment(store, experiment, run.started);
  const target = join(folder, run.id);
  const temporary = join(folder, `.${run.id}.part`);
  await rm(temporary, { recursive: true, force: true });
  for (const part of ['metrics', 'params', 'tags', 'artifacts'])
    await mkdir(join(temporary, part), { recursive: true });
  for (const [name, text] of filesOf(run)) {
    const file = join(temporary, name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
  await writeFile(join(temporary, 'meta.yaml'), stringify(runMeta(run, id, target)));
  await rm(target, { recursive: true, force: true });
  await rename(temporary, target);
  return target;
}

interface Experiment {
  readonly id: string;
  readonly folder: string;
}

async function openExperiment(store: string, name: string, time: number): Promise<Experiment> {
  await makeFolder(store);
  for (const id of readdirSync(store)) {
    const meta = join(store, id, 'meta.yaml');
    if (!existsSync(meta)) continue;
    const found = parse(readFileSync(meta, 'utf8')) as { readonly name?: unknown } | null;
    if (found?.name === name) return { id, folder: join(store, id) };
  }
  const id = experimentId(name);
  const folder = join(store, id);
  await makeFolder(folder);
  const meta = {
    artifact_location: pathToFileURL(resolve(folder)).href,
    creation_time: time,
    experiment_id: id,
    last_update_time: time,
    lifecycle_stage: 'active',
    name,
  };
  await writeFile(join(folder, 'meta.yaml'), stringify(meta));
  return { id, folder };
}

/** Eighteen digits, as MLflow draws them at random; here the same name has the same. */
const experimentId = (name: string): string =>
  (10n ** 17n + (createHash('sha256').update(name).digest().readBigUInt64LE() % (9n * 10n ** 17n))).toString();

const runMeta = (run: RecordedRun, experiment: string, target: string): Record<string, unknown> => ({
  artifact_uri: pathToFileURL(resolve(target, 'artifacts')).href,
  end_time: run.isRunning ? null : run.ended,
  entry_point_name: '',
  experiment_id: experiment,
  lifecycle_stage: 'active',
  run_id: run.id,
  run_name: run.name,
  run_uuid: run.id,
  source_name: '',
  source_type: localSource,
  source_version: '',
  start_time: run.started,
  status: run.isRunning ? status.running : status.finished,
  tags: [],
  user_id: userInfo().username,
});

/** Files of metrics, parameters and tags. A slash in a metric's name is a folder. */
function* filesOf({ points, settings, name }: RecordedRun): Generator<[string, string]> {
  const lines = new Map<string, string[]>();
  for (const { step, time, scalars } of points)
    for (const [metric, value] of Object.entries(scalars)) {
      const own = lines.get(metric) ?? [];
      lines.set(metric, own);
      own.push(`${time} ${pythonFloat(value)} ${step}\n`);
    }
  for (const [metric, each] of lines) yield [`metrics/${metric}`, each.join('')];
  for (const [key, value] of Object.entries(settings)) yield [`params/${key}`, parameter(value)];
  yield ['tags/mlflow.runName', name];
  yield ['tags/mlflow.user', userInfo().username];
  yield ['tags/mlflow.source.name', 'magface train'];
  yield ['tags/mlflow.source.type', 'LOCAL'];
}

/** Python reads `inf` and `nan`. */
const pythonFloat = (value: number): string =>
  Number.isFinite(value) ? String(value) : Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';

const parameter = (value: unknown): string =>
  (typeof value === 'string' ? value : JSON.stringify(value)).slice(0, longestParameter);
