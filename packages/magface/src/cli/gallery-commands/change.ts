/** `magface gallery forget`, `merge` and `rename`. */
import type { Command } from 'commander';
import { ServiceError } from '../../errors.ts';
import { unknownPerson } from '../../gallery/gallery-file.ts';
import type { ConfigOf } from '../../settings/setting.ts';
import type { Context } from '../context.ts';
import { formatOf } from '../options.ts';
import { printRecord } from '../output.ts';
import { addSettings, parserOf } from '../setting-flags.ts';
import { type OpenFlags, openExisting, openSettings } from './opened.ts';

const facesOf = (faces: number): string => `${faces} ${faces === 1 ? 'face' : 'faces'}`;

const forgetSettings = {
  face: {
    group: 'Gallery:',
    takes: 'texts',
    parse: parserOf({ takes: 'count', value: '', says: '' }) as (text: string) => number,
    value: '<number>',
    says: 'delete only this face, as `gallery show` numbers it',
  },
  ...openSettings,
} as const;

type ForgetFlags = ConfigOf<typeof forgetSettings>;

export function defineForget(command: Command, context: Context): void {
  command
    .description('Delete a person with all faces, or single faces. The log of deletions records it.')
    .argument('<person>', 'a name');
  addSettings(command, forgetSettings);
  command.action(async (person: string, flags: ForgetFlags) => {
    const { face: numbers } = flags;
    await using gallery = await openExisting(flags, context, { readOnly: false });
    let removed = 0;
    if (numbers === undefined) {
      removed = await gallery.remove(person);
      if (removed === 0) throw unknownPerson(person);
    }
    for (const face of numbers ?? []) {
      if (!(await gallery.removeFace(person, face))) throw unknownFace(person, face);
      removed++;
    }
    const lines = [`Forgot ${facesOf(removed)} of ${person}.`];
    await printRecord(context.stdout, { person, removed }, { format: formatOf(flags), lines });
  });
}

const unknownFace = (person: string, face: number): ServiceError =>
  new ServiceError('not_found', {
    expected: `face ${face} of ${person}`,
    problem: 'there is none',
    remedy: 'see `magface gallery show` for their numbers',
  });

export function defineMerge(command: Command, context: Context): void {
  command
    .description('Give all faces of one person to another: two entries that are one person.')
    .argument('<person>', 'the name that disappears')
    .argument('<into>', 'the name that stays');
  addSettings(command, openSettings);
  command.action(async (person: string, into: string, flags: OpenFlags) => {
    await using gallery = await openExisting(flags, context, { readOnly: false });
    const moved = await gallery.merge(person, into);
    if (moved === 0) throw unknownPerson(person);
    const lines = [`Moved ${facesOf(moved)} of ${person} to ${into}.`];
    await printRecord(context.stdout, { person, into, moved }, { format: formatOf(flags), lines });
  });
}

export function defineRename(command: Command, context: Context): void {
  command.description('Give a person another name.').argument('<person>', 'a name').argument('<name>', 'the new one');
  addSettings(command, openSettings);
  command.action(async (person: string, name: string, flags: OpenFlags) => {
    await using gallery = await openExisting(flags, context, { readOnly: false });
    const faces = await gallery.rename(person, name);
    if (faces === 0) throw unknownPerson(person);
    const lines = [`Renamed ${person} to ${name} (${facesOf(faces)}).`];
    await printRecord(context.stdout, { person, name, faces }, { format: formatOf(flags), lines });
  });
}
