/** `magface train`: trains and finetunes, with every official flag. */
import type { Command } from 'commander';
import { stringify } from 'yaml';
import type { ValidationRow } from '../train/loop/validate.ts';
import type { MetricsRow } from '../train/record/metrics.ts';
import { type TrainConfig, usedSettings } from '../train/settings/config.ts';
import { type Context, note, send } from './context.ts';
import type { ExitCode } from './errors.ts';
import { formatOf, outputSettings } from './options.ts';
import { printRecord } from './output.ts';
import { duration, type Progress, startProgress } from './progress.ts';
import { addSettings } from './setting-flags.ts';
import { configOf, type TrainFlags } from './train-config.ts';
import { addTrainFlags } from './train-flags.ts';
import { joinRanks, startRanks } from './train-ranks.ts';
import { asTrainingError } from './training-error.ts';

const examples = `
Examples:
  magface train --train-list faces/ --arch iresnet18 -b 64 --output run1
  magface train --config configs/ms1mv2-iresnet50.yaml \\
      --train-list faces_emore/train.rec --output r50
  magface train --config configs/ms1mv2-iresnet50.yaml \\
      --train-list faces_emore/train.rec --output r50 --resume
  magface train --nproc 8 --max-restarts 3 \\
      --config configs/ms1mv2-iresnet100.yaml --train-list ms1m.rec --output r
  magface train --init recogniser.onnx --train-list faces/ --output finetuned
  magface convert r50/00025-0000000.safetensors r50.onnx`;

export function defineTrain(command: Command, context: Context, done: (exitCode: ExitCode) => void): void {
  addTrainFlags(command);
  addSettings(command, outputSettings)
    .addHelpText('after', examples)
    .action(async (flags: TrainFlags, self: Command) => {
      const { config, processes } = await configOf(flags, context);
      if (flags.printConfig === true) {
        return await send(context.stdout, stringify(usedSettings(config, { processes })));
      }
      if (flags.verifyData === true) return done(await verifyData(config, context, flags.quiet === true));
      if (flags.nproc !== undefined) {
        return done(await startRanks(flags, self.parent?.args ?? [], { config, context }));
      }
      await run(config, flags, context);
    });
}

async function run(config: TrainConfig, flags: TrainFlags, context: Context): Promise<void> {
  const { train } = await loadTraining();
  const ranks = await joinRanks(config, context);
  const quiet = flags.quiet === true || (ranks !== undefined && ranks.rank > 0);
  const { stdout, stderr } = context;
  /** Both streams share a terminal: nothing has to be printed twice. */
  const isSeen = stdout.isTTY === true && stderr.isTTY === true && !quiet;
  let progress: Progress | undefined;
  let shown: MetricsRow | undefined;
  const say = (line: string): void => {
    if (quiet) return;
    if (progress === undefined) note(context, line);
    else progress.note(line);
  };
  try {
    const last = await train(config, {
      resume: flags.resume === true,
      signal: context.signal,
      ...(ranks !== undefined && { group: ranks }),
      onNote: say,
      onRow: (row) => {
        say(rowLine(row, stderr.columns));
        shown = row;
      },
      onValidation: (row) => say(validationLine(row)),
      onStep: (step, total) => {
        progress ??= startProgress(stderr, { total, unit: 'steps', quiet: quiet || stderr.isTTY !== true });
        progress.update(step);
      },
    });
    const lines = last === undefined ? ['The run was already complete.'] : [rowLine(last, stdout.columns)];
    const format = formatOf(flags);
    const isKnown = isSeen && format === 'table' && last !== undefined && last === shown;
    if (!isKnown && (ranks === undefined || ranks.rank === 0)) {
      await printRecord(stdout, { ...last }, { format, lines });
    }
  } catch (error) {
    throw asTrainingError(error);
  } finally {
    progress?.stop();
  }
}

/** A row of metrics as one line; on a narrow terminal, only what the bar does not show. */
function rowLine(row: MetricsRow, columns: number = Number.POSITIVE_INFINITY): string {
  const whole = wholeLine(row);
  if (whole.length <= columns) return whole;
  return [
    `epoch ${row.epoch}`,
    `step ${row.step}`,
    `loss ${row.loss.toFixed(2)}`,
    `acc ${(100 * row.accuracy).toFixed(1)} %`,
    `magnitude ${row.magnitudeMean.toFixed(1)}`,
    `lr ${Number(row.lr.toPrecision(3))}`,
  ].join('  ');
}

function wholeLine(row: MetricsRow): string {
  return [
    `epoch ${row.epoch}`,
    `step ${row.step}`,
    `loss ${row.loss.toFixed(3)} (id ${row.lossId.toFixed(3)}, g ${row.lossG.toFixed(5)})`,
    `acc ${(100 * row.accuracy).toFixed(1)} %`,
    `magnitude ${row.magnitudeMean.toFixed(2)} (${row.magnitudeMin.toFixed(1)} to ${row.magnitudeMax.toFixed(1)})`,
    `margin ${row.marginMean.toFixed(2)}`,
    `lr ${Number(row.lr.toPrecision(3))}`,
    `${row.imagesPerSecond.toFixed(1)} images/s`,
    `${duration(row.secondsLeft)} left`,
  ].join('  ');
}

function validationLine({ epoch, accuracy, accuracyStd, auc, rejectFnmr }: ValidationRow): string {
  const curve = rejectFnmr.map((fnmr) => (fnmr === null ? '-' : fnmr.toFixed(4))).join(', ');
  return `After epoch ${epoch}: accuracy ${(100 * accuracy).toFixed(2)} ± ${(100 * accuracyStd).toFixed(2)} %, AUC ${auc.toFixed(4)}; FNMR at FMR 0.01 with 0, 10, 20, 30 % rejected: ${curve}`;
}

// Separate, since tsc 5.9 keeps the extension of an import() in a function with `using`.
async function loadData(): Promise<
  Pick<
    typeof import('../train/data/dataset.ts') & typeof import('../train/data/loader.ts'),
    'readDatasets' | 'datasetSize' | 'Loader'
  >
> {
  const { readDatasets, datasetSize } = await import('../train/data/dataset.ts');
  const { Loader } = await import('../train/data/loader.ts');
  return { readDatasets, datasetSize, Loader };
}

/** Reads every image once. @returns 1 if some are unusable */
async function verifyData(config: TrainConfig, context: Context, quiet: boolean): Promise<ExitCode> {
  const { readDatasets, datasetSize, Loader } = await loadData();
  const dataset = readDatasets(config.trainList, { root: config.root, classes: config.lastFcSize });
  const progress = startProgress(context.stderr, { total: dataset.samples.length, unit: 'images', quiet });
  const batchSize = Math.min(256, dataset.samples.length);
  await using loader = new Loader(dataset, {
    batchSize,
    seed: config.seed,
    ...(config.workers !== undefined && { workers: config.workers }),
  });
  const bad = await loader.verify((read) => progress.update(read));
  progress.stop();
  for (const { path, reason } of bad) await send(context.stdout, `${path}\t${reason}\n`);
  if (!quiet) note(context, `${datasetSize(dataset)}: ${bad.length} cannot be used.`);
  return bad.length === 0 ? 0 : 1;
}

async function loadTraining(): Promise<typeof import('../train/loop/run.ts')> {
  try {
    return await import('../train/loop/run.ts');
  } catch (error) {
    throw asTrainingError(error);
  }
}
