/** Measures the models of a suite on its sets. A failed set or model does not affect the others. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { ConfigError, MagfaceError } from '../../errors.ts';
import { compareModels } from '../../eval/compare-models.ts';
import type { FaceSet } from '../../eval/face-set.ts';
import { type MeasuredModel, measureModel } from '../../eval/measure-model.ts';
import { openFaceSet } from '../../eval/open-face-set.ts';
import { type MeaningOptions, measureMeaning, type QualityMeaning } from '../../eval/quality-meaning.ts';
import type { EvaluatedSet } from '../../report/evaluated-set.ts';
import { type Context, note } from '../context.ts';
import { type EmbeddedSet, type EmbedSetFlags, embedSet, measureQualities } from './embed.ts';
import { setPictures } from './pictures.ts';
import { pairMeasures, readMeasures } from './report.ts';
import { recordOf } from './set.ts';
import type { Suite, SuiteSet } from './suite-config.ts';
import type { SuiteFailure, SuiteResult } from './suite-files.ts';

export async function runSuite(suite: Suite, flags: EmbedSetFlags, context: Context): Promise<SuiteResult> {
  const result: SuiteResult = { title: suite.title, sets: [], failures: [], inputs: new Map() };
  for (const entry of suite.sets) await measureSet(entry, result, { suite, flags, context });
  return result;
}

/** Adds a set's figures, or its failures, to the result. */
async function measureSet(
  entry: SuiteSet,
  result: SuiteResult,
  { suite, flags, context }: { readonly suite: Suite; readonly flags: EmbedSetFlags; readonly context: Context },
): Promise<void> {
  const {
    set: source,
    name,
    aligned = source.endsWith('.bin'),
    models: only,
    methods = [],
    scores = [],
    ...files
  } = entry;
  const fail = (error: unknown, called: string, model?: string): void => {
    if (context.signal.aborted || !isFailure(error)) throw error;
    result.failures.push(failure(error, called, model));
  };
  try {
    const opened = await openFaceSet(source, { ...files, folds: suite.folds });
    try {
      const set = { ...opened, name: name ?? opened.name };
      result.inputs.set(`set ${set.name}`, describeSet(set));
      for (const file of [...suite.scores, ...scores]) result.inputs.set(`scores ${file}`, await describeFile(file));
      const models: MeasuredModel[] = [];
      const meanings: NonNullable<EvaluatedSet['meanings']>[number][] = [];
      const constant = new Set<string>();
      for (const { name: called, model } of suite.models.filter(
        (one) => only === undefined || only.includes(one.name),
      )) {
        if (flags.quiet !== true) note(context, `${set.name} with ${called} …`);
        const settings = settingsOf(model, { suite, flags, aligned });
        await embedSet(set, settings, context)
          .then(async (embedded) => {
            result.inputs.set(`model ${called}`, `SHA-256 ${embedded.model.digest}`);
            const { folds, reject } = suite;
            const people = models[0]?.people;
            const given = pairMeasures(embedded, await readMeasures(embedded, [...suite.scores, ...scores]));
            const named = [...new Set([...suite.methods, ...methods])];
            const own = await measureQualities(set, named, { flags: settings, context });
            const measures = Object.fromEntries(
              Object.entries({ ...own, ...given }).filter(([measure, values]) => {
                const varies = values.some((value) => value !== values[0]);
                if (!varies) constant.add(measure);
                return varies;
              }),
            );
            const measured = measureModel(embedded, called, { folds, reject, measures, ...(people && { people }) });
            models.push(measured);
            const scale = embedded.model.contract.calibration;
            const meaning = suite.meaningBins && meaningOf(embedded, measured, { bins: suite.meaningBins, scale });
            if (meaning) meanings.push({ model: called, meaning });
          })
          .catch((error: unknown) => fail(error, set.name, called));
      }
      if (models.length === 0) return;
      const reports = models.map(({ report }) => report);
      const pictures = await setPictures(set, reports);
      const records = reports.map((report) => recordOf(set, report));
      const comparisons = compareModels(models);
      const same = `${[...constant].join(', ')} ${constant.size === 1 ? 'is' : 'are'} the same for every pair: left out of the ranking.`;
      const notes = [...set.notes, ...(constant.size > 0 ? [same] : [])];
      result.sets.push({ name: set.name, notes, reports, comparisons, meanings, pictures, records });
    } finally {
      await opened.close();
    }
  } catch (error) {
    fail(error, name ?? source);
  }
}

/** @returns undefined if the pairs are too few to judge it */
function meaningOf(
  embedded: EmbeddedSet,
  { people, report }: MeasuredModel,
  options: Omit<MeaningOptions, 'fmr'>,
): QualityMeaning | undefined {
  try {
    return measureMeaning(embedded, people, { ...options, fmr: report.reject.fmr });
  } catch (error) {
    if (error instanceof MagfaceError && error.code === 'evaluation_impossible') return undefined;
    throw error;
  }
}

/** A folder of scores is told by its names. @throws {ConfigError} before anything is embedded, if it is missing */
async function describeFile(file: string): Promise<string> {
  const names = await readdir(file).catch(() => undefined);
  const bytes = names === undefined ? await readFile(file).catch(() => undefined) : names.sort().join('\n');
  if (bytes !== undefined) return `SHA-256 ${createHash('sha256').update(bytes).digest('hex')}`;
  throw new ConfigError('scores', {
    expected: `scores at ${file}`,
    problem: 'they cannot be read',
    remedy: 'check the path',
  });
}

function describeSet({ images, pairs }: FaceSet): string {
  const ofImages = createHash('sha256');
  for (const { name, digest } of images) ofImages.update(`${name} ${digest}\n`);
  const ofPairs = createHash('sha256').update(pairs.left).update(pairs.right).update(pairs.same);
  const counts = `${images.length} images, ${pairs.same.length} pairs`;
  return `${counts}; images ${ofImages.digest('hex')}, pairs ${ofPairs.digest('hex')}`;
}

function settingsOf(
  model: string,
  { suite, flags, aligned }: { readonly suite: Suite; readonly flags: EmbedSetFlags; readonly aligned: boolean },
): EmbedSetFlags {
  const detector = aligned || suite.detector === undefined ? {} : { detector: suite.detector };
  return { ...flags, ...detector, model, aligned, flip: suite.flip };
}

/** A set's failure goes into the report; a defect in our code ends the run visibly. */
const isFailure = (error: unknown): boolean =>
  error instanceof MagfaceError || (error instanceof Error && 'syscall' in error);

function failure(error: unknown, set: string, model: string | undefined): SuiteFailure {
  const message = error instanceof Error ? error.message : String(error);
  return { set, ...(model !== undefined && { model }), message };
}
