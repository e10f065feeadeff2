/**
 * The IJB-B and IJB-C 1:1 protocol: TAR at six FARs over template pairs, both exact and by the official nearest point
 * of the curve.
 *
 * @see official eval_ijb; Maze et al., "IARPA Janus Benchmark - C", ICB 2018
 */
import { ShapeError } from '../errors.ts';
import type { FeatureBlock } from '../format/feature-block.ts';
import type { FaceTemplates, TemplatePairs } from './ijb-files.ts';
import { scorePairs } from './pair-scores.ts';
import {
  areaUnderRoc,
  canMeasure,
  nearestTars,
  type OperatingPoint,
  pointAtFar,
  type Scores,
  splitScores,
} from './roc.ts';
import { buildTemplates, type TemplateOptions, type Templates } from './templates.ts';

/** The rates of the official table. */
const officialFars: readonly number[] = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1];

/** The input of the evaluation. */
export interface IjbInput {
  /** Features in the order of `faces`, read once. */
  readonly features: AsyncIterable<FeatureBlock> | Iterable<FeatureBlock>;
  /** D, the length of one feature. */
  readonly dimension: number;
  readonly faces: FaceTemplates;
  readonly pairs: TemplatePairs;
}

/** Options of the evaluation. */
export interface IjbOptions extends TemplateOptions {
  /** False accept rates. @default 1e-6, 1e-5, … 1e-1, as in the official script */
  readonly far?: readonly number[];
  /** Largest number of threads. @default one per core */
  readonly threads?: number;
  /** Called when each stage begins, to show progress. */
  readonly onStage?: (stage: 'templates' | 'scores' | 'curve') => void;
}

/** The output of `evaluate ijb`. */
export interface IjbVerification {
  readonly images: number;
  readonly templates: number;
  readonly pairs: number;
  readonly genuine: number;
  readonly impostor: number;
  readonly magnitudeWeighted: boolean;
  readonly far: readonly number[];
  /** By the official rule: the nearest point, whatever the number of impostors. */
  readonly tar: readonly number[];
  /** By order statistics; null if there are too few impostors for the rate. */
  readonly exact: readonly (OperatingPoint | null)[];
  readonly auc: number;
  readonly limits: readonly string[];
}

/** The figures and the data behind them, for curves and for identification. */
export interface IjbEvaluation {
  readonly result: IjbVerification;
  readonly templates: Templates;
  readonly scores: Scores;
}

/**
 * Builds templates and verifies all template pairs by the IJB protocol.
 *
 * @returns TAR at each FAR by the official rule and by the exact one, and the templates, for {@link identify}
 * @throws {ShapeError} if features, faces and pairs do not match
 * @throws {MagfaceError} `evaluation_impossible` without genuine or impostor pairs
 */
export async function evaluateIjb(input: IjbInput, options: IjbOptions = {}): Promise<IjbEvaluation> {
  const { far = officialFars, magnitudeWeighted = false, threads, onStage } = options;
  const { faces, pairs } = input;
  onStage?.('templates');
  const templates = await buildTemplates(input.features, input.dimension, { faces, magnitudeWeighted });
  onStage?.('scores');
  const rows = rowFinder(templates.ids);
  const job = { ...templates, left: rowsOfColumn(pairs.left, rows), right: rowsOfColumn(pairs.right, rows) };
  const similarities = await scorePairs(job, threads);
  onStage?.('curve');
  const scores = splitScores(similarities, pairs.same);
  const impostor = scores.impostor.length;
  const result: IjbVerification = {
    images: faces.template.length,
    templates: templates.ids.length,
    pairs: pairs.same.length,
    genuine: scores.genuine.length,
    impostor,
    magnitudeWeighted,
    far,
    tar: nearestTars(scores, far),
    exact: far.map((rate) => (canMeasure(rate, impostor) ? pointAtFar(scores, rate) : null)),
    auc: areaUnderRoc(scores),
    limits: far
      .filter((rate) => !canMeasure(rate, impostor))
      .map((rate) => `FAR ${rate} needs ${Math.ceil(1 / rate - 1e-6)} impostor pairs but there are only ${impostor}.`),
  };
  return { result, templates, scores };
}

/** @returns a look-up from template numbers to rows that throws for a number without features. */
export function rowFinder(ids: Int32Array): (template: number) => number {
  const rows = new Map(Array.from(ids, (id, row) => [id, row]));
  return (template) => {
    const row = rows.get(template);
    if (row !== undefined) return row;
    throw new ShapeError({
      expected: 'features for every template',
      problem: `no line of the protocol's list has template ${template}, which is in the pairs`,
      remedy: 'use files of the same protocol',
    });
  };
}

function rowsOfColumn(column: Int32Array, rowOf: (template: number) => number): Int32Array {
  const rows = new Int32Array(new SharedArrayBuffer(column.length * 4));
  for (let i = 0; i < rows.length; i++) rows[i] = rowOf(column[i]!);
  return rows;
}
