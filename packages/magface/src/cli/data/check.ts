/** `magface data check`: finds duplicates, wrong labels and overlaps before a training run does. */
import { writeFile } from 'node:fs/promises';
import { dirname, isAbsolute, relative, resolve } from 'node:path';
import type { Command } from 'commander';
import { ConfigError } from '../../errors.ts';
import type { DataCheck } from '../../eval/data/check-data.ts';
import type { CleanedImage } from '../../eval/data/clean-data.ts';
import { expectFileTarget } from '../../format/write-target.ts';
import type { ConfigOf } from '../../settings/setting.ts';
import { type Context, note } from '../context.ts';
import type { ExitCode } from '../errors.ts';
import { embedFaces } from '../evaluate/embed.ts';
import {
  cacheSettings,
  configSettings,
  formatOf,
  inputSettings,
  modelSettings,
  outputSettings,
  under,
} from '../options.ts';
import { printRecord } from '../output.ts';
import { addSettings } from '../setting-flags.ts';
import { checkLines, checkRecord } from './check-record.ts';
import { type OpenedSet, openTestSet, openTrainingSet } from './labelled-set.ts';

const settings = {
  ...under('Data:', { root: inputSettings.root }),
  against: {
    group: 'Data:',
    takes: 'texts',
    value: '<set>',
    says: 'a set to test on, or a .bin of pairs: nothing of it may be in the others',
  },
  ...under('Data:', cacheSettings),
  write: {
    group: 'Results:',
    takes: 'text',
    value: '<file.list>',
    says: 'write the images that are good to train on, as a list',
  },
  report: {
    group: 'Results:',
    takes: 'text',
    value: '<file.html>',
    says: 'write a page with the pictures of everything found',
  },
  ...modelSettings,
  ...configSettings,
  ...outputSettings,
} as const;

type Flags = ConfigOf<typeof settings>;

const examples = `
Looks for photos that appear twice, labels that are probably wrong or swapped,
people with two labels, and people or photos that a test set has too. Features
are cached, so a second run is quick. Nothing is changed: --write makes a list
for magface train --train-list.

In the written list, unusable images, outliers of quality 20 and more, all but
the best of each photo, and everything that a test set has are left out.
Mislabelled images go to the person whom they resemble, and a person with two
labels gets one.

Examples:
  magface data check faces/ --aligned --report check.html
  magface data check a.list b.list --aligned --against lfw.bin \\
      --write clean.list`;

export function defineDataCheck(command: Command, context: Context, done: (exitCode: ExitCode) => void): void {
  command
    .description('Find duplicates, wrong labels and overlaps in training sets.')
    .argument('<set...>', 'lists, folders with one folder per person, .rec files or tar shards');
  addSettings(command, settings).addHelpText('after', examples);
  command.action(async (sources: string[], flags: Flags) => done(await check(sources, flags, context)));
}

async function check(sources: readonly string[], flags: Flags, context: Context): Promise<ExitCode> {
  await expectFileTarget(flags.report, 'report');
  await expectFileTarget(flags.write, 'write');
  const sets = await openSets(sources, flags);
  const all = { name: sets.map(({ name }) => name).join(', '), images: sets.flatMap(({ images }) => images) };
  const { checkEmbedded } = await import('../../eval/data/check-data.ts');
  const { cleanData } = await import('../../eval/data/clean-data.ts');
  const { model, images } = await embedFaces(all, { ...flags, allowMissing: true }, context);
  if (flags.quiet !== true) note(context, `Comparing ${all.images.length.toLocaleString('en')} faces.`);
  const { calibration } = model.contract;
  const found = await checkEmbedded(sets, images, model.contract);
  const cleaned = cleanData(found, calibration);
  const record = checkRecord(found, cleaned, { model: model.id ?? model.name, calibration });
  const { stdout } = context;
  await printRecord(stdout, { ...record }, { format: formatOf(flags), lines: checkLines(record, stdout.columns) });
  if (flags.write !== undefined) await writeList(flags.write, { found, cleaned, sets });
  if (flags.report !== undefined) {
    const { writeCheckReport } = await import('./report-check.ts');
    await writeCheckReport(flags.report, { record, images: all.images });
  }
  if (flags.quiet !== true) {
    if (flags.write !== undefined)
      note(context, `List: ${flags.write}, ${record.cleaned.images} images of ${record.cleaned.people} people.`);
    if (flags.report !== undefined) note(context, `Report: ${flags.report}. Open it in a browser.`);
  }
  return 0;
}

async function openSets(sources: readonly string[], { root, against = [], write }: Flags): Promise<OpenedSet[]> {
  const sets: OpenedSet[] = [];
  for (const source of sources) sets.push(await openTrainingSet(source, root));
  const packed = sets.find(({ files }) => files.includes(undefined));
  if (write !== undefined && packed !== undefined)
    throw new ConfigError('write', {
      expected: 'sets of image files for --write',
      problem: `${packed.name} is packed, and a list cannot name its images`,
      remedy: `unpack it with \`magface convert ${packed.name} FOLDER\` first`,
    });
  for (const source of against) sets.push(await openTestSet(source, root));
  return sets;
}

interface Cleaning {
  readonly found: DataCheck;
  readonly cleaned: readonly CleanedImage[];
  readonly sets: readonly OpenedSet[];
}

/** The official list, sorted by label. Paths are relative to the list if the images are below its folder. */
async function writeList(file: string, { cleaned, sets }: Cleaning): Promise<void> {
  const folder = dirname(resolve(file));
  const files = sets.flatMap((set) => set.files);
  const nameOf = (image: number): string => {
    const path = resolve(files[image]!);
    const below = relative(folder, path);
    return below.startsWith('..') || isAbsolute(below) ? path : below;
  };
  const kept = cleaned.filter(({ label }) => label !== null).sort((a, b) => a.label! - b.label! || a.image - b.image);
  await writeFile(file, kept.map(({ image, label }) => `${nameOf(image)} 0 ${label} 0\n`).join(''));
}
