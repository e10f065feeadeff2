/** `magface gallery ...`: shows, checks, corrects and copies a gallery. */
import type { Command } from 'commander';
import type { Context } from '../context.ts';
import type { ExitCode } from '../errors.ts';
import { defineForget, defineMerge, defineRename } from './change.ts';
import { defineCheck } from './check.ts';
import { defineExport, defineImport, defineMigrate } from './copy.ts';
import { defineList, defineLog, defineShow } from './show.ts';

const examples = `
Examples:
  magface gallery list --gallery people
  magface gallery show "Ann Lee" --gallery people
  magface gallery check --gallery people
  magface gallery forget "Ann Lee" --face 12 --gallery people
  magface gallery merge "Ann L." "Ann Lee" --gallery people
  magface gallery export ann.jsonl --person "Ann Lee" --gallery people
  magface gallery migrate --gallery people --to safe --new-key key.txt

Commands that only read work while a service has the gallery open.`;

export function defineGallery(command: Command, context: Context, done: (exitCode: ExitCode) => void): void {
  command.addHelpText('after', examples);
  defineList(command.command('list'), context);
  defineShow(command.command('show'), context);
  defineCheck(command.command('check'), context, done);
  defineForget(command.command('forget'), context);
  defineMerge(command.command('merge'), context);
  defineRename(command.command('rename'), context);
  defineExport(command.command('export'), context);
  defineImport(command.command('import'), context);
  defineMigrate(command.command('migrate'), context);
  defineLog(command.command('log'), context);
}
