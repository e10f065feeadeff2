/** `magface calibrate`: the quality scale of a model, from reference faces. */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { calibrate as fit } from '../calibrate.ts';
import { ConfigError } from '../errors.ts';
import { type Context, note, type Recogniser } from './context.ts';
import type { ExitCode } from './errors.ts';
import { addModelFlags, addOutputFlags, formatOf } from './options.ts';
import { printRecord } from './output.ts';
import { type RunFlags, runImages } from './run-images.ts';

interface CalibrateFlags extends Omit<RunFlags, 'list'> {
  readonly faces: string;
  readonly output?: string;
}

const examples = `
The reference set should be ordinary faces, at least 100 and better thousands:
the score of a face is then about its percentile among them. Centre is the
median of the magnitudes, width their interquartile range / (2 ln 3).

Example:
  magface calibrate --model my.onnx --faces lfw.list --aligned --output my-q.onnx`;

export function defineCalibrate(command: Command, context: Context, done: (exitCode: ExitCode) => void): void {
  command
    .description('Fit the quality scale of a model to reference faces, the largest of each image.')
    .optionsGroup('Calibration:')
    .requiredOption('--faces <list>', 'the reference set: a list of images, or a folder')
    .option('--root <dir>', 'folder that listed paths are relative to')
    .option('--output <file.onnx>', 'write a copy of the model that carries the scale');
  addOutputFlags(addModelFlags(command, { aligned: true })).addHelpText('after', examples);
  command.action(async (flags: CalibrateFlags) => done(await calibrate(flags, context)));
}

async function calibrate(flags: CalibrateFlags, context: Context): Promise<ExitCode> {
  const { faces, output } = flags;
  if (output !== undefined && !output.endsWith('.onnx'))
    throw new ConfigError('output', `Expected an output that ends in .onnx but received ${output}: rename it.`);
  const magnitudes: number[] = [];
  let model: Recogniser['model'] | undefined;
  const folder = (await stat(resolve(context.cwd, faces)).catch(() => undefined))?.isDirectory() === true;
  const { failed } = await runImages(
    folder ? [faces] : [],
    { ...flags, ...(folder ? {} : { list: [faces] }) },
    {
      context,
      start: (magface) => {
        model = magface.model;
      },
      outcome: async (outcome) => {
        if ('faces' in outcome) magnitudes.push(outcome.faces[0]!.magnitude);
      },
    },
  );
  const fitted = fit(magnitudes);
  const source = `${magnitudes.length} faces of ${faces}`;
  if (output !== undefined && model !== undefined) {
    await writeCalibrated(model, { ...fitted, source }, resolve(context.cwd, output));
    if (flags.quiet !== true) note(context, `Wrote ${output}.`);
  }
  const { centre, width } = fitted;
  const { p5, p25, p50, p75, p95 } = fitted.magnitudes;
  const quantiles = [p5, p25, p50, p75, p95].map((value) => value.toFixed(2)).join('  ');
  const lines = [
    `centre ${centre.toFixed(4)}, width ${width.toFixed(4)}, from ${source}`,
    `5, 25, 50, 75, 95 %: ${quantiles}`,
  ];
  const thresholds = model?.contract.thresholds ?? [];
  await printRecord(context.stdout, { ...fitted, thresholds }, { format: formatOf(flags), lines });
  return failed > 0 ? 1 : 0;
}

async function writeCalibrated(
  { bytes, contract, name }: Recogniser['model'],
  { centre, width, source }: { readonly centre: number; readonly width: number; readonly source: string },
  output: string,
): Promise<void> {
  const { contractMetadata } = await import('../models/contract.ts');
  const { withMetadata } = await import('../models/onnx-file.ts');
  const metadata = contractMetadata({ ...contract, calibration: { centre, width, source } });
  const { FileWriter } = await import('../format/file-writer.ts');
  const calibrated = withMetadata(bytes, metadata, name);
  const file = await FileWriter.create(output);
  void file.append(calibrated); // commit tells of a failure
  await file.commit();
}
