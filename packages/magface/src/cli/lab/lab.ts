/** `magface lab`: every quality method on every set, on one page. */
import type { Command } from 'commander';
import { ConfigError } from '../../errors.ts';
import { componentNames } from '../../eval/methods/components.ts';
import { expectMethod, methodNames, networkMethods } from '../../eval/methods/method-names.ts';
import { expectFileTarget } from '../../format/write-target.ts';
import { type Context, note } from '../context.ts';
import type { ExitCode } from '../errors.ts';
import { foldSettings, modelName, rejectOptions, rejectSettings } from '../evaluate/options.ts';
import { readSuite, type Suite } from '../evaluate/suite-config.ts';
import { writePage } from '../evaluate/suite-files.ts';
import {
  alignedSettings,
  cacheSettings,
  configSettings,
  engineSettings,
  finderSettings,
  outputSettings,
  under,
} from '../options.ts';
import { addSettings } from '../setting-flags.ts';
import { type LabFlags, labSettings } from './flags.ts';
import { printLab } from './print.ts';
import { provenanceOf } from './provenance.ts';

const examples = `
Quality methods, measured on each face:
${Object.entries(networkMethods)
  .map(([name, { short }]) => `  ${name.padEnd(10)} ${short}`)
  .join('\n')}
  Components of ISO/IEC 29794-5, as far as five landmarks allow:
  ${componentNames.slice(0, 4).join(', ')},
  ${componentNames.slice(4, 8).join(', ')},
  ${componentNames.slice(8).join(', ')}
  magnitude:MODEL  the magnitude of another recogniser
--scores adds files of other methods: lines "name value" (CR-FIQA), a table with
a header, OFIQ's CSV, a pickled dict (eDifFIQA), or a folder of images whose
names begin with their score (LightQNet). In a suite file a set may have its own
methods: and scores:.

Examples:
  magface lab --set lfw/ --aligned --report lab.html
  magface lab --set cfp/ --pairs fp.list --models magface-small mine.onnx
  magface lab suite.yaml --methods pruning flip --scores ofiq.csv`;

export function defineLab(command: Command, context: Context, done: (exitCode: ExitCode) => void): void {
  command
    .description('Rank quality methods on sets of pairs: by how many errors they prevent, with intervals, on one page.')
    .argument('[suite]', 'a YAML file of models and sets, as for evaluate suite');
  const { report, ...own } = labSettings;
  const { detector } = finderSettings;
  addSettings(command, {
    ...own,
    ...foldSettings,
    ...rejectSettings,
    detector,
    ...alignedSettings,
    ...engineSettings,
    ...under('Features:', cacheSettings),
    ...configSettings,
    ...outputSettings,
    report,
  }).addHelpText('after', examples);
  command.action(async (suite: string | undefined, flags: LabFlags) => done(await lab(suite, flags, context)));
}

async function lab(suiteFile: string | undefined, flags: LabFlags, context: Context): Promise<ExitCode> {
  await expectFileTarget(flags.report, 'report');
  const suite = { ...(await suiteOf(suiteFile, flags)), meaningBins };
  for (const name of [...suite.methods, ...suite.sets.flatMap((set) => set.methods ?? [])]) expectMethod(name);
  const { runSuite } = await import('../evaluate/run-suite.ts');
  const result = await runSuite(suite, flags, context);
  const provenance = provenanceOf(suite, result, { suiteFile, flags });
  await writePage(flags.report, { ...result, provenance });
  await printLab({ ...result, provenance }, { flags, context });
  if (flags.quiet !== true)
    for (const { name, notes = [] } of result.sets) for (const line of notes) note(context, `${name}: ${line}`);
  for (const { set, model, message } of result.failures)
    note(context, `Failed: ${set}${model === undefined ? '' : ` with ${model}`}: ${message}`);
  if (flags.quiet !== true) note(context, `Report: ${flags.report}`);
  return result.failures.length > 0 ? 1 : 0;
}

/** Bins of equal number in which quality is judged as a probability. */
const meaningBins = 10;

/** All methods but the magnitude, which is always measured. */
const others: readonly string[] = methodNames.filter((name) => name !== 'magnitude');

/** @throws {ConfigError} if neither a suite nor a set is given, or both are */
async function suiteOf(file: string | undefined, flags: LabFlags): Promise<Suite> {
  const { set: sources = [], models, scores = [] } = flags;
  if ((file === undefined) === (sources.length === 0)) {
    const received = file === undefined ? 'neither' : 'both';
    throw new ConfigError('set', { expected: 'a suite file or --set', received: received, remedy: 'give one of them' });
  }
  const called = (model: string) => ({ name: modelName(model), model });
  if (file !== undefined) {
    const suite = await readSuite(file);
    const named = [...new Set([...suite.methods, ...(flags.methods ?? [])])];
    const asked = { methods: named.length > 0 ? named : others, scores: [...suite.scores, ...scores] };
    return { ...suite, ...asked, ...(models && { models: models.map(called) }) };
  }
  const { pairs, images, protocol, flip = false, folds, aligned, detector } = flags;
  if (sources.length > 1 && (pairs ?? images) !== undefined) {
    throw new ConfigError('set', {
      expected: 'one --set with --pairs or --images',
      received: sources.length,
      remedy: 'name their lists in a suite file',
    });
  }
  const sets = sources.map((source) => ({ set: source, pairs, images, protocol, ...(aligned && { aligned }) }));
  const { defaultModels } = await import('../../infer/node/magface.ts');
  const shared = { title: 'Laboratory of face quality', output: '.', flip, folds, detector };
  const chosen = (models ?? [defaultModels.recogniser]).map(called);
  return { ...shared, methods: flags.methods ?? others, scores, reject: rejectOptions(flags), models: chosen, sets };
}
