/** `magface export-run`: hands a training run on to MLflow or Weights & Biases. */
import type { Command } from 'commander';
import { expectFolderTarget } from '../format/write-target.ts';
import type { ConfigOf } from '../settings/setting.ts';
import type { Context } from './context.ts';
import type { ExitCode } from './errors.ts';
import { formatOf, outputSettings } from './options.ts';
import { counted, printRecord } from './output.ts';
import { addSettings } from './setting-flags.ts';

const settings = {
  to: {
    takes: 'choice',
    choices: ['mlflow', 'wandb'],
    value: '<tracker>',
    says: 'mlflow writes a file store, wandb a run for wandb sync',
    required: true,
  },
  output: {
    takes: 'text',
    value: '<dir>',
    says: 'folder of the store',
    otherwise: 'mlruns or wandb, in the current folder',
  },
  experiment: { takes: 'text', value: '<name>', says: 'experiment of MLflow, project of W&B', default: 'magface' },
  ...outputSettings,
} as const;

type Flags = ConfigOf<typeof settings>;

const examples = `
Rows of metrics.jsonl and validation.jsonl become metrics; settings of the
newest checkpoint become parameters. Exporting a run again replaces it, so this
also works while it trains. Nothing is sent anywhere: wandb sync does that.

Examples:
  magface export-run runs/first --to mlflow
  mlflow ui --backend-store-uri ./mlruns
  magface export-run runs/first --to wandb --experiment faces
  wandb sync wandb/offline-run-*`;

export function defineExportRun(command: Command, context: Context, done: (exitCode: ExitCode) => void): void {
  command
    .description('Hand a training run on to MLflow or Weights & Biases, each in its own format.')
    .argument('<run>', 'the --output of magface train');
  addSettings(command, settings).addHelpText('after', examples);
  command.action(async (folder: string, flags: Flags) => {
    const { to, experiment, output = to === 'mlflow' ? 'mlruns' : 'wandb' } = flags;
    await expectFolderTarget(output);
    const { readRecordedRun } = await import('../train/record/recorded-run.ts');
    const run = await readRecordedRun(folder);
    const written =
      to === 'mlflow'
        ? await (await import('../train/record/mlflow-store.ts')).writeMlflowRun(run, output, experiment)
        : await (await import('../train/record/wandb-file.ts')).writeWandbRun(run, output, experiment);
    const steps = run.points.length;
    const lines = [`${counted(steps, 'row')} in ${written}`];
    await printRecord(
      context.stdout,
      { run: folder, to, output: written, rows: steps },
      { format: formatOf(flags), lines },
    );
    done(0);
  });
}
