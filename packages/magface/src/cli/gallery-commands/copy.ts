/** `magface gallery export`, `import` and `migrate`. */
import { stat } from 'node:fs/promises';
import type { Command } from 'commander';
import { ConfigError } from '../../errors.ts';
import { expectFileTarget } from '../../format/write-target.ts';
import type { Gallery, GalleryOptions } from '../../gallery/gallery.ts';
import { copyPeople, exportLines, readGalleryFile } from '../../gallery/gallery-file.ts';
import type { GalleryModel } from '../../gallery/gallery-types.ts';
import type { ConfigOf } from '../../settings/setting.ts';
import { type Context, note } from '../context.ts';
import { expectGalleryRoom, galleryKey, protectSettings } from '../gallery.ts';
import { formatOf } from '../options.ts';
import { printRecord } from '../output.ts';
import { addSettings } from '../setting-flags.ts';
import { type OpenFlags, openExisting, openSettings } from './opened.ts';

const exportSettings = {
  person: { group: 'Gallery:', takes: 'text', value: '<name>', says: 'only this person' },
  ...openSettings,
} as const;

export function defineExport(command: Command, context: Context): void {
  command
    .description('Write a gallery, or what is held on one person, to a file of JSON lines.')
    .argument('<file.jsonl>', 'the file');
  addSettings(command, exportSettings);
  command.action(async (file: string, flags: ConfigOf<typeof exportSettings>) => {
    await expectFileTarget(file, 'file');
    await using gallery = await openExisting(flags, context, { readOnly: true });
    const lines: string[] = [];
    for await (const line of exportLines(gallery, flags.person)) lines.push(`${line}\n`);
    await writeText(file, lines.join(''));
    const people = lines.length - 1;
    const words = [`Wrote ${people} ${people === 1 ? 'person' : 'people'} to ${file}.`];
    await printRecord(context.stdout, { file, people }, { format: formatOf(flags), lines: words });
    if (flags.quiet !== true) note(context, `${file} is not protected: it holds names and embeddings as they are.`);
  });
}

export function defineImport(command: Command, context: Context): void {
  command
    .description('Add the people of an exported file to a gallery of the same model.')
    .argument('<file.jsonl>', 'a file of `magface gallery export`');
  addSettings(command, openSettings);
  command.action(async (file: string, flags: OpenFlags) => {
    await stat(file).catch((cause: unknown) => {
      throw new ConfigError(
        'file',
        { expected: `an exported gallery at ${file}`, problem: 'there is none', remedy: 'check its path' },
        {
          cause,
        },
      );
    });
    await using gallery = await openExisting(flags, context, { readOnly: false });
    const copied = await copyPeople(readGalleryFile(file, gallery), gallery);
    const words = [`Added ${copied.faces} faces of ${copied.people} people; ${copied.known} were known.`];
    await printRecord(context.stdout, { ...copied }, { format: formatOf(flags), lines: words });
  });
}

const migrateSettings = {
  to: { group: 'Gallery:', takes: 'text', value: '<where>', says: 'the new gallery', required: true },
  newKey: { group: 'Gallery:', takes: 'text', value: '<file>', says: 'key of the new gallery' },
  ...protectSettings,
  ...openSettings,
} as const;

type MigrateFlags = ConfigOf<typeof migrateSettings>;

const migrateWords = `
A new key revokes the old one: embeddings turned by it say nothing about the new
ones. Delete the old gallery when the new one is complete. The new gallery may
be a folder or a PostgreSQL server; without --new-key it is not protected.`;

export function defineMigrate(command: Command, context: Context): void {
  command.description('Copy a gallery to another place, with another key or protection.');
  addSettings(command, migrateSettings).addHelpText('after', migrateWords);
  command.action(async (flags: MigrateFlags) => {
    const { to, newKey, protect } = flags;
    await expectGalleryRoom(to);
    const key = newKey === undefined ? undefined : await galleryKey(newKey, context);
    await using from = await openExisting(flags, context, { readOnly: true });
    await using gallery = await openNew(to, from.model, { key, protection: protect });
    const copied = await copyPeople(from.everybody(), gallery);
    const { protection } = gallery;
    const words = [
      `Copied ${copied.faces} faces of ${copied.people} people to ${to} (protection: ${protection}); ${copied.known} were known.`,
    ];
    await printRecord(context.stdout, { to, protection, ...copied }, { format: formatOf(flags), lines: words });
  });
}

// Beside `await using`, TypeScript leaves the names of dynamic imports as they are.
async function writeText(file: string, text: string): Promise<void> {
  const { writeWhole } = await import('../../format/file-writer.ts');
  await writeWhole(file, Buffer.from(text));
}

async function openNew(where: string, model: GalleryModel, options: GalleryOptions): Promise<Gallery> {
  const { Gallery } = await import('../../gallery/gallery.ts');
  return Gallery.open(where, model, options);
}
