/** `magface data ...`: looks after training sets. */
import type { Command } from 'commander';
import type { Context } from '../context.ts';
import type { ExitCode } from '../errors.ts';
import { defineDataCheck } from './check.ts';

const examples = `
Examples:
  magface data check faces/ --aligned --report check.html
  magface data check faces/ --aligned --write clean.list
  magface data check a.list b.list --aligned --against lfw.bin`;

export function defineData(
  command: Command,
  context: Context,
  done: (exitCode: ExitCode) => void = () => undefined,
): void {
  command.addHelpText('after', examples);
  defineDataCheck(command.command('check'), context, done);
}
