/** `magface calibrate`: quality scale and thresholds of a model, from reference faces or its known id. */

import { stat } from 'node:fs/promises';
import type { Command } from 'commander';
import { type CalibrationFit, calibrate as fit } from '../calibrate.ts';
import { ConfigError } from '../errors.ts';
import type { FeatureSet } from '../eval/feature-set.ts';
import { measureLowerWidth } from '../eval/measure-lower-width.ts';
import { type MeasuredThresholds, measureThresholds } from '../eval/measure-thresholds.ts';
import { readPairList } from '../eval/pair-list.ts';
import { resolvePairs } from '../eval/pairs.ts';
import type { Pairs } from '../eval/verification.ts';
import { expectFileTarget } from '../format/write-target.ts';
import type { RecogniserContract, Threshold } from '../models/contract.ts';
import type { LoadedModel } from '../models/load-model.ts';
import type { Calibration } from '../quality.ts';
import type { ConfigOf } from '../settings/setting.ts';
import { claimed } from './calibrate-claim.ts';
import { type Context, note } from './context.ts';
import type { ExitCode } from './errors.ts';
import { configSettings, formatOf, modelSettings, outputSettings } from './options.ts';
import { printRecord } from './output.ts';
import { downloadNotes, runImages } from './run-images.ts';
import { addSettings } from './setting-flags.ts';

const settings = {
  faces: {
    group: 'Calibration:',
    takes: 'text',
    value: '<list>',
    says: 'reference set: a list of images, or a folder',
  },
  root: { group: 'Calibration:', takes: 'text', value: '<dir>', says: 'folder that paths in the list are relative to' },
  pairs: {
    group: 'Calibration:',
    takes: 'text',
    value: '<file>',
    says: 'pairs of these images, to measure thresholds at FMR 1e-2 to 1e-6, as far as the pairs suffice',
  },
  keepScale: {
    group: 'Calibration:',
    takes: 'boolean',
    value: '',
    says: 'keep the model’s scale and measure only thresholds',
  },
  claim: {
    group: 'Calibration:',
    takes: 'text',
    value: '<id>',
    says: 'declare that the file is this model of `magface models list`, and copy its record',
  },
  output: {
    group: 'Calibration:',
    takes: 'text',
    value: '<file.onnx>',
    says: 'write a copy of the model with scale and thresholds',
  },
  ...modelSettings,
  ...configSettings,
  ...outputSettings,
} as const;

type CalibrateFlags = ConfigOf<typeof settings>;

type Model = LoadedModel<'recogniser'>;

/** Results of calibration; only requested parts are set. */
interface Learnt extends Partial<CalibrationFit>, Partial<MeasuredThresholds> {
  readonly model: Model;
  /** Data behind the scale. */
  readonly source?: string;
  /** From pairs with enough failures. */
  readonly widthBelow?: number | undefined;
  readonly failed: number;
}

const examples = `
The reference set should contain ordinary faces: at least 100, better
thousands. The score of a face is then about its percentile among them. The
centre is the median of the magnitudes, the width their interquartile range
divided by (2 ln 3). --pairs lists pairs of images of the set and measures the
thresholds that \`magface compare\` uses; without it, thresholds in the record
are carried over and reported as such. If at least 50 genuine pairs fail at FMR
1e-3, they also fit the lower side of the scale, which gives room to poor faces:
a face whose comparisons fail half of the time scores 10. Ordinary faces alone
rarely fail, so the pairs should include poor ones. --claim copies scale,
channel order and licence from the list of models. Use it for your own export
of a model that may not be distributed.

Examples:
  magface calibrate --model my.onnx --faces lfw.list --aligned --output q.onnx
  magface calibrate --model my.onnx --faces lfw/ --pairs p.txt --output q.onnx
  magface calibrate --model r50.onnx --claim magface-iresnet50 --output q.onnx
  magface calibrate --model q.onnx --faces lfw/ --pairs pairs.txt --keep-scale \\
      --output thresholds.onnx`;

export function defineCalibrate(command: Command, context: Context, done: (exitCode: ExitCode) => void): void {
  command.description(
    'Fit a model’s quality scale to reference faces (the largest of each image), and measure its thresholds.',
  );
  addSettings(command, settings).addHelpText('after', examples);
  command.action(async (flags: CalibrateFlags) => done(await calibrate(flags, context)));
}

async function calibrate(flags: CalibrateFlags, context: Context): Promise<ExitCode> {
  expectFlags(flags);
  await expectFileTarget(flags.output);
  const learnt = flags.faces === undefined ? await knownModel(flags, context) : await measure(flags, context);
  const { failed, source, centre, width, widthBelow, magnitudes } = learnt;
  const base = flags.claim === undefined ? learnt.model : await claimed(learnt.model, flags.claim);
  const fitted = centre !== undefined &&
    width !== undefined &&
    source !== undefined && { centre, width, ...(widthBelow && { widthBelow }), source };
  const contract: RecogniserContract = {
    ...base.contract,
    ...(fitted && flags.keepScale !== true && { calibration: fitted }),
    ...(learnt.thresholds && { thresholds: learnt.thresholds }),
  };
  // Thresholds not measured here keep their own source, which each of them states.
  const carriedOver = learnt.thresholds === undefined ? (contract.thresholds ?? []) : [];
  if (flags.quiet !== true) for (const line of learnt.limits ?? []) note(context, line);
  if (flags.output !== undefined) {
    await writeModel({ ...base, contract }, flags.output);
    if (flags.quiet !== true) note(context, `Wrote ${flags.output}.`);
  }
  const { calibration } = contract;
  const { thresholds = [] } = learnt;
  const record = {
    centre: calibration?.centre ?? null,
    width: calibration?.width ?? null,
    widthBelow: calibration?.widthBelow ?? null,
    ...(magnitudes && { magnitudes }),
    thresholds,
    carriedOver,
    ...(learnt.limits && { limits: learnt.limits }),
  };
  const lines = [...scaleLines(contract, magnitudes), ...thresholds.map(thresholdLine), ...carriedLines(carriedOver)];
  await printRecord(context.stdout, record, { format: formatOf(flags), lines });
  return failed > 0 ? 1 : 0;
}

function expectFlags({ faces, pairs, claim, output }: CalibrateFlags): void {
  if (output !== undefined && !output.endsWith('.onnx'))
    throw new ConfigError('output', {
      expected: 'an output that ends in .onnx',
      received: output,
      remedy: 'rename it',
    });
  if (faces === undefined && claim === undefined)
    throw new ConfigError('faces', {
      expected: '--faces with a reference set, or --claim with the id of a known model',
      remedy: 'pass one of them',
    });
  if (faces !== undefined && claim !== undefined)
    throw new ConfigError('claim', {
      expected: 'either --faces or --claim',
      received: 'both',
      remedy: 'claim first, then measure the written file',
    });
  if (faces === undefined && pairs !== undefined)
    throw new ConfigError('pairs', { expected: '--faces with --pairs', remedy: 'pass the images that the pairs name' });
}

async function knownModel(flags: CalibrateFlags, context: Context): Promise<Learnt> {
  const { model, offline } = flags;
  if (model === undefined)
    throw new ConfigError('model', {
      expected: '--model with --claim',
      remedy: 'pass the file that you claim to be this model',
    });
  const { env, services, signal } = context;
  const onProgress = downloadNotes(flags, context);
  const loaded = await services.loadModel(model, { cacheDir: env['MAGFACE_CACHE'], offline, signal, onProgress });
  if (loaded.contract.kind !== 'recogniser')
    throw new ConfigError('model', {
      expected: 'a recogniser (only recognisers have a scale)',
      problem: `${model} is a detector`,
      remedy: 'pass another --model',
    });
  return { model: loaded as Model, failed: 0 };
}

/** Runs the reference set; keeps features only if pairs need them. */
async function measure(flags: CalibrateFlags, context: Context): Promise<Learnt> {
  const { faces = '', pairs } = flags;
  const [magnitudes, names, embeddings]: [number[], string[], Float32Array[]] = [[], [], []];
  let model: Model | undefined;
  const folder = (await stat(faces).catch(() => undefined))?.isDirectory() === true;
  const list = folder ? {} : { list: [faces] };
  const { failed } = await runImages(
    folder ? [faces] : [],
    { ...flags, ...list },
    {
      context,
      start: (magface) => {
        model = magface.model;
      },
      outcome: async (outcome) => {
        if ('error' in outcome) return;
        const { magnitude, embedding } = outcome.faces[0]!;
        magnitudes.push(magnitude);
        if (pairs === undefined) return;
        names.push(outcome.file.name);
        embeddings.push(embedding);
      },
    },
  );
  const source = `${magnitudes.length} faces of ${faces}`;
  const features = featuresOf(names, embeddings);
  const named = pairs === undefined ? undefined : resolvePairs(await readPairList(pairs), features, { match: 'name' });
  const scale = fit(magnitudes);
  const told = named === undefined ? {} : pairsTell(features, named, { source: pairs!, centre: scale.centre });
  return { ...scale, ...told, model: model!, source, failed };
}

/** Thresholds and, if enough comparisons fail, the lower side of the scale. */
function pairsTell(
  features: FeatureSet,
  pairs: Pairs,
  { source, centre }: { readonly source: string; readonly centre: number },
): MeasuredThresholds & Pick<Learnt, 'widthBelow'> {
  const { thresholds, limits } = measureThresholds(features, pairs, source);
  const { widthBelow, limit } = measureLowerWidth(features, pairs, { centre, thresholds });
  return { thresholds, widthBelow, limits: limit === undefined ? limits : [...limits, limit] };
}

/** For example `FMR 1e-3  threshold 0.3120  (0.2691 to 0.3580)`. */
const thresholdLine = ({ fmr, threshold, interval }: Threshold): string => {
  const ends = interval === undefined ? '' : `   95 %: ${interval.map((end) => end.toFixed(4)).join(' to ')}`;
  return `FMR ${fmr.toExponential()}  threshold ${threshold.toFixed(4)}${ends}`;
};

function featuresOf(names: readonly string[], embeddings: readonly Float32Array[]): FeatureSet {
  const dimension = embeddings[0]?.length ?? 1;
  const values = new Float32Array(embeddings.length * dimension);
  for (const [row, embedding] of embeddings.entries()) values.set(embedding, row * dimension);
  return { values, dimension, names };
}

function scaleLines({ calibration }: RecogniserContract, magnitudes: Learnt['magnitudes']): string[] {
  const quantiles = magnitudes && Object.values(magnitudes).map((value) => value.toFixed(2));
  return [
    calibration === undefined
      ? 'The record has no scale.'
      : `centre ${calibration.centre.toFixed(4)}, width ${calibration.width.toFixed(4)}${belowText(calibration)}, from ${calibration.source}`,
    ...(quantiles === undefined ? [] : [`5, 25, 50, 75, 95 %: ${quantiles.join('  ')}`]),
  ];
}

const belowText = ({ widthBelow }: Calibration): string =>
  widthBelow === undefined ? '' : ` (${widthBelow.toFixed(4)} below the centre)`;

/** The thresholds that the record keeps, their source, and how to measure them here. */
function carriedLines(thresholds: readonly Threshold[]): string[] {
  if (thresholds.length === 0) return [];
  return [
    'Kept from the record, not measured in this run (use --faces with --pairs to measure):',
    ...thresholds.map((threshold) => `  ${thresholdLine(threshold)}   from ${threshold.set}`),
  ];
}

async function writeModel({ bytes, contract, name }: Model, output: string): Promise<void> {
  const { withContract } = await import('../models/with-contract.ts');
  const { writeWhole } = await import('../format/file-writer.ts');
  await writeWhole(output, withContract(bytes, contract, name));
}
