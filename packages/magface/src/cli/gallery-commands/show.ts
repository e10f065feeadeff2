/** `magface gallery list`, `show` and `log`. */
import type { Command } from 'commander';
import { unknownPerson } from '../../gallery/gallery-file.ts';
import type { Deletion, ListedPerson, StoredFace } from '../../gallery/gallery-types.ts';
import type { ConfigOf } from '../../settings/setting.ts';
import { type Context, note } from '../context.ts';
import { formatOf } from '../options.ts';
import { type Column, createRows } from '../output.ts';
import { printedRow, qualityInCsv, qualityInTable } from '../quality-column.ts';
import { addSettings } from '../setting-flags.ts';
import { type OpenFlags, openExisting, openSettings } from './opened.ts';

const dayOf = (time: string): string => time.slice(0, 10);

const people: readonly Column<ListedPerson>[] = [
  { title: 'person', value: ({ person }) => person, layout: 'middle' },
  { title: 'faces', value: ({ faces }) => faces, layout: 'right' },
  { ...qualityInTable, title: 'best quality' },
  { title: 'added', value: ({ added }) => dayOf(added) },
  { title: 'expires', value: ({ expires }) => expires?.slice(0, 10) },
  { title: 'consent', value: ({ consent }) => consent ?? undefined, layout: 'wrap' },
];

export function defineList(command: Command, context: Context): void {
  addSettings(command.description('List the people of a gallery.'), openSettings);
  command.action(async (flags: OpenFlags) => {
    await using gallery = await openExisting(flags, context, { readOnly: true });
    const csv = people.map((column) => ({
      ...column,
      title: column.title.replace(' ', '_'),
      ...(column.title === 'best quality' ? { value: qualityInCsv.value } : {}),
    }));
    const rows = createRows(context.stdout, { format: formatOf(flags), table: people, csv, json: printedRow });
    for (const person of await gallery.list()) await rows.write(person);
    await rows.close();
    const count = await gallery.count();
    if (flags.quiet !== true)
      note(
        context,
        `${count.people} people, ${count.faces} faces of ${gallery.model.name}; protection: ${gallery.protection}.`,
      );
  });
}

type ShownFace = Omit<StoredFace, 'embedding'>;

const faces: readonly Column<ShownFace>[] = [
  { title: 'face', value: ({ face }) => face, layout: 'right' },
  { title: 'image', value: ({ image }) => image ?? undefined, layout: 'middle' },
  { title: 'magnitude', value: ({ magnitude }) => magnitude.toFixed(2), layout: 'right' },
  qualityInTable,
  { title: 'added', value: ({ added }) => dayOf(added) },
  { title: 'expires', value: ({ expires }) => expires?.slice(0, 10) },
];

export function defineShow(command: Command, context: Context): void {
  addSettings(command.description('Show a person’s faces.').argument('<person>', 'a name'), openSettings);
  command.action(async (person: string, flags: OpenFlags) => {
    await using gallery = await openExisting(flags, context, { readOnly: true });
    const stored = await gallery.read(person);
    if (stored === undefined) throw unknownPerson(person);
    const csv = faces.map((column) => (column === qualityInTable ? qualityInCsv : column));
    const rows = createRows<ShownFace>(context.stdout, {
      format: formatOf(flags),
      table: faces,
      csv,
      json: printedRow,
    });
    for (const { embedding: _, ...face } of stored.faces) await rows.write(face);
    await rows.close();
    if (flags.quiet !== true) note(context, `Consent: ${stored.consent ?? 'none recorded'}.`);
  });
}

const deletions: readonly Column<Deletion>[] = [
  { title: 'at', value: ({ at }) => at },
  { title: 'person', value: ({ person }) => person },
  { title: 'faces', value: (entry) => entry.faces, layout: 'right' },
  { title: 'reason', value: ({ reason }) => reason },
];

const logSettings = {
  person: { group: 'Gallery:', takes: 'text', value: '<name>', says: 'only deletions of this name' },
  ...openSettings,
} as const;

const logWords = `
The log holds a digest of each name, not the name: --person finds its entries.`;

export function defineLog(command: Command, context: Context): void {
  command.description('List what was deleted from a gallery, and when.');
  addSettings(command, logSettings).addHelpText('after', logWords);
  command.action(async (flags: ConfigOf<typeof logSettings>) => {
    await using gallery = await openExisting(flags, context, { readOnly: true });
    const rows = createRows(context.stdout, { format: formatOf(flags), table: deletions });
    for (const entry of await gallery.deletions(flags.person)) await rows.write(entry);
    await rows.close();
  });
}
