/** `magface people`: groups the faces of photos by person. */
import { type Command, InvalidArgumentError } from 'commander';
import { ConfigError } from '../errors.ts';
import { expectFileTarget, expectFolderTarget } from '../format/write-target.ts';
import type { ConfigOf } from '../settings/setting.ts';
import { type Context, note } from './context.ts';
import type { ExitCode } from './errors.ts';
import { configSettings, formatOf, inputSettings, inputWords, modelSettings, outputSettings } from './options.ts';
import { type Column, createRows } from './output.ts';
import { addPhotos } from './people/add-photos.ts';
import { corrected } from './people/corrected.ts';
import { linkPeople } from './people/link-people.ts';
import { openLibrary, stateFolder } from './people/open-library.ts';
import { writePeopleReport } from './people/report-people.ts';
import { type PersonRecord, peopleRecord, type SortedLibrary, sortLibrary } from './people/sort-library.ts';
import { qualityInTable } from './quality-column.ts';
import { addSettings } from './setting-flags.ts';

const corrections = 'Corrections (kept; the newest counts):';

const settings = {
  state: {
    group: 'Library:',
    takes: 'text',
    value: '<dir>',
    says: 'folder that keeps embeddings, names and corrections',
    otherwise: 'in --output',
  },
  database: {
    group: 'Library:',
    takes: 'text',
    value: '<where>',
    says: 'keep them in a database: a folder of its own, or postgres://...',
    otherwise: 'none',
  },
  output: {
    group: 'Library:',
    takes: 'text',
    value: '<dir>',
    says: 'write people.json, and a folder of links to photos for each person',
  },
  report: {
    group: 'Library:',
    takes: 'text',
    value: '<file.html>',
    says: 'write a page with each person’s best shot, and the doubtful cases',
  },
  name: {
    group: corrections,
    takes: 'texts',
    parse: assignment,
    value: '<person=name>',
    says: 'name a person, by number or present name',
  },
  join: { group: corrections, takes: 'texts', value: '<a,b>', says: 'these two are one person' },
  apart: { group: corrections, takes: 'texts', value: '<a,b>', says: 'these two are two people' },
  not: {
    group: corrections,
    takes: 'texts',
    parse: assignment,
    value: '<person=photo#face>',
    says: 'this face is not that person',
  },
  ...inputSettings,
  ...modelSettings,
  ...configSettings,
  ...outputSettings,
} as const;

type Flags = ConfigOf<typeof settings>;

const examples = `
Examples:
  magface people photos/ --state library/ --output people/ --report people.html
  magface people --state library/ --name "3=Ann Lee" --join 4,9
  magface people --state library/ --not "3=photos/party.jpg#1"

Faces of quality 20 and more found people, poorer ones only as three: others
join somebody or stay apart. Two faces of one photo are two people. There is no
threshold to choose: one wrong merge is expected for a hundred merges. With
--state, --database or --output a second run embeds new photos only, and names
and corrections are kept.`;

export function definePeople(command: Command, context: Context, done: (exitCode: ExitCode) => void): void {
  command.description('Group the faces of a photo library by person.').argument('[input...]', inputWords);
  addSettings(command, settings).addHelpText('after', examples);
  command.action(async (inputs: string[], flags: Flags) => done(await people(inputs, flags, context)));
}

function assignment(text: string): string {
  if (/^[^=]+=./.test(text)) return text;
  throw new InvalidArgumentError('Expected two parts with = between them.');
}

async function people(inputs: readonly string[], flags: Flags, context: Context): Promise<ExitCode> {
  await expectFileTarget(flags.report, 'report');
  await expectFolderTarget(flags.output, 'output');
  const isNew = inputs.length > 0 || flags.list !== undefined;
  const { database } = flags;
  if (!isNew && database === undefined && stateFolder(flags) === undefined)
    throw new ConfigError('input', {
      expected: 'photos (or --state or --database of an earlier run)',
      received: 'neither',
      remedy: 'name a folder',
    });
  await using library = await openLibrary(flags);
  const failed = isNew ? await addPhotos(library, inputs, flags, context) : 0;
  if (library.model === undefined)
    throw new ConfigError(database === undefined ? 'state' : 'database', {
      expected: `photos in ${database === undefined ? stateFolder(flags) : 'the library'}`,
      problem: 'it has none yet',
      remedy: 'name a folder of photos',
    });
  await library.save(corrected(library, flags));
  const sorted = await sortLibrary(library);
  const records = sorted.people.map((person) => peopleRecord(sorted, person));
  const rows = createRows(context.stdout, { format: formatOf(flags), table, csv });
  for (const record of records) await rows.write(record);
  await rows.close();
  if (flags.output !== undefined) await linkPeople(flags.output, sorted);
  if (flags.report !== undefined) await writePeopleReport(flags.report, sorted);
  if (flags.quiet !== true) for (const line of summary(sorted)) note(context, line);
  return failed > 0 ? 1 : 0;
}

const table: readonly Column<PersonRecord>[] = [
  { title: 'person', value: ({ person }) => person, layout: 'right' },
  { title: 'name', value: ({ name }) => name ?? undefined, layout: 'middle' },
  { title: 'faces', value: ({ faces }) => faces.length, layout: 'right' },
  { title: 'best shot', value: ({ faces: [best] }) => best!.image, layout: 'middle' },
  { title: 'face', value: ({ faces: [best] }) => best!.face, layout: 'right' },
  { ...qualityInTable, value: ({ faces: [best] }) => qualityInTable.value(best!) },
  { title: 'doubtful', value: ({ faces }) => faces.filter(({ doubtful }) => doubtful).length, layout: 'right' },
];

const csv: readonly Column<PersonRecord>[] = table.map((column) => ({
  ...column,
  title: column.title.replace(' ', '_'),
}));

function summary({ people: found, unplaced, faces, grouped, gone }: SortedLibrary): string[] {
  const { threshold, fmr, comparisons, expectedWrongMerges, questions } = grouped;
  const rate = fmr.toPrecision(2);
  return [
    `${faces.length} faces of ${found.length} people; ${unplaced.length} poor faces resemble nobody enough.`,
    `Expected wrong merges: ${expectedWrongMerges.toPrecision(2)} (similarity ${threshold.toFixed(3)}, a false match rate of ${rate} in ${comparisons.toLocaleString('en')} comparisons).`,
    ...(questions.length > 0 ? [`${questions.length} pairs of people may be one: --report shows them.`] : []),
    ...(gone > 0 ? [`${gone} known photos are gone and left out.`] : []),
  ];
}
