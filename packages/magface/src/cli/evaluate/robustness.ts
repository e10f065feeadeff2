/** `magface evaluate robustness`: whether quality falls with damage and predicts its cost. */

import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { ImageErrorCode } from '../../errors.ts';
import { type DamagedFaces, type DamageName, damageFaces, describeDamage } from '../../eval/damage-faces.ts';
import { type DamageReport, type Estimate, type RobustnessReport, robustnessReport } from '../../eval/robustness.ts';
import { expectFileTarget } from '../../format/write-target.ts';
import { type Calibration, printedQuality, qualityScore } from '../../quality.ts';
import type { ConfigOf } from '../../settings/setting.ts';
import { type Context, note } from '../context.ts';
import type { ExitCode } from '../errors.ts';
import { findImages, type ImageFile } from '../inputs.ts';
import { configSettings, engineSettings, finderSettings, formatOf, outputSettings } from '../options.ts';
import { type Column, printRecord } from '../output.ts';
import { startProgress } from '../progress.ts';
import { loadMagFace, named } from '../run-images.ts';
import type { Recogniser } from '../services.ts';
import { addSettings } from '../setting-flags.ts';
import { damageExample } from './damage-example.ts';

const settings = {
  faces: {
    group: 'Data:',
    takes: 'text',
    value: '<dir>',
    says: 'aligned faces of 112x112: a folder (searched recursively), a glob or one file',
    required: true,
  },
  limit: {
    group: 'Data:',
    takes: 'count',
    value: '<n>',
    says: 'maximum number of faces, evenly spaced over all',
    default: 200,
  },
  model: finderSettings.model,
  ...engineSettings,
  perKind: {
    group: 'Damage:',
    takes: 'count',
    within: [2, 10],
    value: '<steps>',
    says: 'steps per kind of damage, 2 to 10',
    default: 5,
  },
  seed: {
    group: 'Damage:',
    takes: 'count',
    value: '<n>',
    says: 'seed for noise and for the side that is covered or rotated',
    default: 1,
  },
  report: {
    group: 'Damage:',
    takes: 'text',
    value: '<file.html>',
    says: 'write a page with the curves and one face at all steps',
  },
  ...configSettings,
  ...outputSettings,
} as const;

type Flags = ConfigOf<typeof settings>;

const examples = `
Each face is degraded by blur, noise, downscaling, darkness, occlusion, rotation
and JPEG, from slightly to beyond recognition. For a good quality measure,
Spearman’s rank correlation between quality and damage is near -1, and that
between the loss of quality and the loss of similarity is near 1.

Example:
  magface evaluate robustness --faces aligned/ --model my.onnx --report out.html`;

export function defineEvaluateRobustness(
  command: Command,
  context: Context,
  done: (exitCode: ExitCode) => void = () => undefined,
): void {
  command.description(
    'Degrade aligned faces step by step: does quality fall, and does it predict the loss of similarity?',
  );
  addSettings(command, settings).addHelpText('after', examples);
  command.action(async (flags: Flags) => done(await robustness(flags, context)));
}

/** More would not fit into 80 columns. */
async function robustness(flags: Flags, context: Context): Promise<ExitCode> {
  await expectFileTarget(flags.report, 'report');
  const files = evenly(await findImages([flags.faces], context), flags.limit);
  await using magface = await loadMagFace({ ...flags, aligned: true }, context, Number.POSITIVE_INFINITY);
  const { id, name, contract } = magface.model;
  const model = { name: id ?? name, calibration: contract.calibration };
  const strengths = Array.from({ length: flags.perKind + 1 }, (_, step) => step / flags.perKind);
  const damaged = await damageAll(files, magface, { flags, strengths, context });
  const report = robustnessReport(damaged.curves, strengths);
  const record = recordOf(report, { model, seed: flags.seed, failed: damaged.failed });
  const csv = { rows: report.kinds.flatMap(rowsOf), columns };
  await printRecord(context.stdout, record, { format: formatOf(flags), lines: linesOf(report, model.name), csv });
  if (flags.report !== undefined) {
    const robustnessPage = await loadPage();
    const example = await damageExample(files, damaged, strengths);
    await writeFile(flags.report, robustnessPage({ model, report, example }));
    if (flags.quiet !== true) note(context, `Report: ${flags.report}. Open it in a browser.`);
  }
  return damaged.failed > 0 ? 1 : 0;
}

interface DamageSetting {
  readonly flags: Flags;
  readonly strengths: readonly number[];
  readonly context: Context;
}

/** Shows a bar, and a line for each unreadable face. */
async function damageAll(
  files: readonly ImageFile[],
  magface: Recogniser,
  { flags, strengths, context }: DamageSetting,
): Promise<DamagedFaces> {
  const { seed, quiet = false } = flags;
  const progress = startProgress(context.stderr, { total: files.length, unit: 'faces', quiet });
  // Faces are always aligned here: only cutting them out helps.
  const remedies: Partial<Record<ImageErrorCode, string>> = { image_wrong_size: 'cut it out with `magface align`' };
  const images = files.map(({ path }) => path);
  try {
    return await damageFaces(images, magface, {
      strengths,
      seed,
      signal: context.signal,
      onFace: (done) => progress.update(done),
      onFailure: (error, at) => progress.note(named(error, files[at]!, remedies[error.code]).message),
    });
  } finally {
    progress.stop();
  }
}

/** Separate, since TypeScript 5.9 keeps the `.ts` of an import inside a function with `await using`. */
async function loadPage(): Promise<typeof import('../../report/robustness-page.ts').robustnessPage> {
  return (await import('../../report/robustness-page.ts')).robustnessPage;
}

/** @returns at most `most` values, evenly spaced */
function evenly<T>(all: readonly T[], most: number): T[] {
  const count = Math.min(most, all.length);
  return Array.from({ length: count }, (_, k) => all[Math.floor((k * all.length) / count)]!);
}

interface RecordOptions {
  readonly model: { readonly name: string; readonly calibration: Calibration | undefined };
  readonly seed: number;
  readonly failed: number;
}

/** The report, with strengths in the units of their damage and scores if the model has them. */
function recordOf(report: RobustnessReport, { model, seed, failed }: RecordOptions): Record<string, unknown> {
  const { calibration } = model;
  const kinds = report.kinds.map(({ kind, steps, fall, loss }) => ({
    kind,
    fall,
    loss,
    steps: steps.map(({ strength, magnitude, similarity }) => ({
      strength,
      damage: describeDamage(kind as DamageName, strength),
      magnitude,
      quality: calibration === undefined ? null : printedQuality(qualityScore(magnitude.p50, calibration)),
      similarity,
    })),
  }));
  const { faces, fall, loss } = report;
  return { model: model.name, faces, failed, seed, fall, loss, kinds };
}

/** One step of one kind of damage, for CSV. */
interface Row {
  readonly of: DamageReport;
  readonly step: number;
}

const rowsOf = (of: DamageReport): Row[] => of.steps.map((_, step) => ({ of, step }));

const columns: readonly Column<Row>[] = [
  { title: 'kind', value: ({ of }) => of.kind },
  { title: 'strength [fraction]', value: ({ of, step }) => of.steps[step]!.strength },
  ...(['p25', 'p50', 'p75'] as const).map((key) => ({
    title: `magnitude ${key} [length]`,
    value: ({ of, step }: Row) => of.steps[step]!.magnitude[key],
  })),
  ...(['p25', 'p50', 'p75'] as const).map((key) => ({
    title: `similarity ${key} [cosine]`,
    value: ({ of, step }: Row) => of.steps[step]!.similarity[key],
  })),
  ...(['fall', 'loss'] as const).flatMap((key) => [
    { title: `${key} [Spearman]`, value: ({ of }: Row) => of[key].value ?? undefined },
    { title: `${key} low [Spearman]`, value: ({ of }: Row) => of[key].interval?.[0] },
    { title: `${key} high [Spearman]`, value: ({ of }: Row) => of[key].interval?.[1] },
  ]),
];

function linesOf({ faces, strengths, kinds, fall, loss }: RobustnessReport, model: string): string[] {
  const row = (name: string, cells: readonly string[]): string =>
    name.padEnd(13) + cells.map((cell) => cell.padStart(6)).join('');
  const head = strengths.map((strength) => (strength === 0 ? 'clean' : strength.toFixed(2)));
  const estimates = [...kinds, { kind: 'all', fall, loss }];
  return [
    `${model}, ${faces} faces: median magnitude and cosine to the clean face, by damage`,
    row('', head),
    ...kinds.flatMap(({ kind, steps }) => [
      row(
        kind,
        steps.map(({ magnitude }) => magnitude.p50.toFixed(1)),
      ),
      row(
        '  cosine',
        steps.map(({ similarity }) => similarity.p50.toFixed(2)),
      ),
    ]),
    '',
    `Spearman     ${'magnitude by damage'.padEnd(28)}magnitude lost by cosine lost`,
    ...estimates.map((of) => `${of.kind.padEnd(13)}${figure(of.fall).padEnd(28)}${figure(of.loss)}`),
  ];
}

/** `-0.98 (-0.99 to -0.97)` */
function figure({ value, interval }: Estimate): string {
  if (value === null || interval === null) return '-';
  const [low, high] = interval.map((end) => end.toFixed(2));
  return `${value.toFixed(2)} (${low} to ${high})`;
}
