/** `magface evaluate set`: embeds and measures one of the field's sets. */

import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { FaceSet } from '../../eval/face-set.ts';
import { tinyFaceFolder } from '../../eval/layouts/tinyface.ts';
import { measureModel } from '../../eval/measure-model.ts';
import { openFaceSet } from '../../eval/open-face-set.ts';
import type { PairReport } from '../../eval/pair-report.ts';
import { measureMeaning } from '../../eval/quality-meaning.ts';
import { asPercent, type RejectCurve } from '../../eval/reject.ts';
import { expectFileTarget } from '../../format/write-target.ts';
import { figureText, operatingText } from '../../report/figure-text.ts';
import { inPercent } from '../../report/page.ts';
import type { ConfigOf } from '../../settings/setting.ts';
import { type Context, note } from '../context.ts';
import {
  cacheSettings,
  configSettings,
  flipSettings,
  formatOf,
  modelSettings,
  outputSettings,
  under,
} from '../options.ts';
import { printRecord } from '../output.ts';
import { addSettings } from '../setting-flags.ts';
import { type FlatFigures, figureColumns } from './columns.ts';
import { embedSet, measureQualities } from './embed.ts';
import { evaluateIdentification } from './identification-set.ts';
import { meaningLines } from './meaning.ts';
import { foldSettings, modelName, rejectOptions, rejectSettings, reliabilitySettings } from './options.ts';
import { setPictures } from './pictures.ts';

const settings = {
  pairs: {
    group: 'Data:',
    takes: 'text',
    value: '<file>',
    says: 'list of pairs',
    otherwise: 'the known list in the folder',
  },
  images: { group: 'Data:', takes: 'text', value: '<dir>', says: 'folder of the images', otherwise: 'the set’s' },
  protocol: {
    group: 'Data:',
    takes: 'choice',
    choices: ['fp', 'ff'],
    value: '<p>',
    says: 'protocol of CFP: frontal-profile or frontal-frontal pairs',
    otherwise: 'fp',
  },
  methods: {
    group: 'Data:',
    takes: 'texts',
    value: '<method...>',
    says: 'quality methods to compare with magnitude: see `magface lab --help`',
  },
  ...under('Protocol:', flipSettings),
  ...foldSettings,
  ...reliabilitySettings,
  ...rejectSettings,
  ...modelSettings,
  ...under('Features:', cacheSettings),
  ...configSettings,
  ...outputSettings,
  report: {
    group: 'Output:',
    takes: 'text',
    value: '<file.html>',
    says: 'write a page with curves, distributions, thresholds and pairs',
  },
} as const;

type Flags = ConfigOf<typeof settings>;

const examples = `
A set is a .bin of InsightFace, or a folder as published: LFW and XQLFW
(pairs.txt), CFP (Protocol/), CALFW and CPLFW (pairs_CALFW.txt), RFW (txts/),
SCface (surveillance_cameras_distance_1/), TinyFace (Testing_Set/, 1:N). For
other sets pass --pairs: lines "imageA imageB 1", or a table with left, right,
same. Features are cached, so that a second run takes seconds.

Examples:
  magface evaluate set lfw.bin --model my.onnx --flip
  magface evaluate set lfw/ --aligned --report lfw.html
  magface evaluate set cfp-dataset/ --protocol ff --json`;

export function defineEvaluateSet(command: Command, context: Context): void {
  command
    .description(
      'Embed LFW, CFP, AgeDB-30, CALFW, CPLFW, XQLFW, RFW, SCface, TinyFace or any list of pairs, and measure the model on it.',
    )
    .argument('<set>', 'a .bin of InsightFace, or the folder of a set');
  addSettings(command, settings).addHelpText('after', examples);
  command.action((source: string, flags: Flags) => evaluateSet(source, flags, context));
}

async function evaluateSet(source: string, flags: Flags, context: Context): Promise<void> {
  const { pairs, images, protocol, folds } = flags;
  await expectFileTarget(flags.report, 'report');
  const tinyFace = tinyFaceFolder(source);
  if (tinyFace !== undefined) return evaluateIdentification(tinyFace, flags, context);
  const set = await openFaceSet(source, { pairs, images, protocol, folds });
  try {
    // A .bin always holds aligned faces, whatever the flags.
    const settings = source.endsWith('.bin') ? { ...flags, aligned: true } : flags;
    const embedded = await embedSet(set, settings, context);
    const { report, people } = measureModel(embedded, modelName(flags.model ?? embedded.model.name), {
      folds,
      measures: await measureQualities(set, flags.methods ?? [], { flags: settings, context }),
      reject: rejectOptions(flags),
    });
    const fmr = report.thresholds.at(-1)?.far ?? 0.1;
    const scale = embedded.model.contract.calibration;
    const meaning = flags.reliability && measureMeaning(embedded, people, { fmr, bins: flags.reliability, scale });
    const notes = [...set.notes, ...report.verification.limits, ...report.reject.limits];
    if (flags.quiet !== true) for (const line of notes) note(context, line);
    if (flags.report !== undefined) await writeReport(set, report, flags.report);
    const record = { ...recordOf(set, report), ...(meaning || {}) };
    const csv = { rows: [record], columns: figureColumns([record]) };
    const lines = [...linesOf(set, report), ...(meaning ? meaningLines(meaning) : [])];
    await printRecord(context.stdout, { ...record }, { format: formatOf(flags), lines, csv });
    if (flags.report !== undefined && flags.quiet !== true) note(context, `Report: ${flags.report}`);
  } finally {
    await set.close();
  }
}

async function writeReport(set: FaceSet, report: PairReport, file: string): Promise<void> {
  const { evaluationPage } = await import('../../report/evaluation-page.ts');
  const pictures = await setPictures(set, [report]);
  await writeFile(
    file,
    evaluationPage({ title: set.name, sets: [{ name: set.name, notes: set.notes, reports: [report], pictures }] }),
  );
}

/** JSON of `evaluate set`. */
export interface SetRecord extends FlatFigures {
  readonly intervals: PairReport['intervals'];
  readonly reject: NonNullable<FlatFigures['reject']> & {
    /** Means of their pAUC. */
    readonly baselines: { readonly random: number | null; readonly oracle: number | null };
  };
}

/** The contract's fields of `pairs` and of `reject`. */
export function recordOf(set: Pick<FaceSet, 'name' | 'images'>, report: PairReport): SetRecord {
  const { model, verification, thresholds, intervals, reject, baselines, measures, groups } = report;
  const { random, oracle } = baselines;
  const { limits: rejectLimits, ...curve } = reject;
  return {
    set: set.name,
    model,
    images: set.images.length,
    ...verification,
    limits: [...verification.limits, ...rejectLimits],
    thresholds,
    intervals,
    reject: { ...curve, baselines: { random: random.pauc, oracle: oracle.pauc } },
    ...(measures.length > 0 && {
      measures: Object.fromEntries(
        measures.map(({ name, reject: { paucArea, paucRelative }, paucAreaLess }) => [
          name,
          { paucArea, paucRelative, paucAreaLess },
        ]),
      ),
    }),
    ...(Object.keys(groups).length > 0 && { groups }),
  };
}

function linesOf(set: FaceSet, report: PairReport): string[] {
  const { model, verification: v, thresholds, reject, baselines, measures } = report;
  const pauc = (of: RejectCurve): string =>
    `${figureText('paucArea', of.paucArea)}, relative ${figureText('paucRelative', of.paucRelative)}`;
  const range = (far: string): string => {
    const ends = thresholds.find((point) => String(point.far) === far)?.tarInterval;
    return ends === undefined ? '' : `   95 %: ${ends.map((end) => inPercent(end)).join(' to ')}`;
  };
  return [
    `${set.name}, ${model}`,
    `Pairs          ${v.pairs}: ${v.genuine} genuine, ${v.impostor} impostor, of ${set.images.length} images`,
    `Accuracy       ${inPercent(v.accuracy)} ± ${inPercent(v.accuracyStd)}   official protocol, ${v.folds} folds`,
    `               ${inPercent(v.cosineAccuracy)} ± ${inPercent(v.cosineAccuracyStd)}   plain cosine, exact thresholds`,
    `AUC, EER       ${v.auc.toFixed(5)}, ${inPercent(v.eer)}`,
    ...Object.entries(v.tarAtFar).map(
      ([far, tar]) =>
        `TAR at ${far.padEnd(7)} ${inPercent(tar)}   threshold ${v.thresholdAtFar[far]?.toFixed(4)}${range(far)}`,
    ),
    `pAUC × 10³     ${pauc(reject)}   ${operatingText(reject)}, to ${asPercent(reject.paucLimit)} rejected`,
    ...measures.map((measure) => `               ${pauc(measure.reject)} by ${measure.name}`),
    `               ${pauc(baselines.random)} by chance`,
    `               ${pauc(baselines.oracle)} for the oracle`,
  ];
}
