/** `magface evaluate ...`: the field's protocols, on features that are there already. */
import type { Command } from 'commander';
import type { Context } from './context.ts';
import { defineEvaluateIjb } from './evaluate-ijb.ts';
import { defineEvaluatePairs } from './evaluate-pairs.ts';
import { defineEvaluateReject } from './evaluate-reject.ts';
import { defineEvaluateReport } from './evaluate-report.ts';

const examples = `
Examples:
  magface evaluate pairs --features lfw.list --pairs pair.list
  magface evaluate pairs --features lfw.npy --pairs pairs.txt --intervals
  magface evaluate reject --features lfw.list --pairs pair.list --threshold official
  magface evaluate ijb --features ijbc.npy --meta IJBC/meta --type c --magnitude-weighted
  magface evaluate report --features a.npy b.npy --pairs pairs.txt --output models.html`;

export function defineEvaluate(command: Command, context: Context): void {
  command.addHelpText('after', examples);
  defineEvaluatePairs(command.command('pairs'), context);
  defineEvaluateReject(command.command('reject'), context);
  defineEvaluateIjb(command.command('ijb'), context);
  defineEvaluateReport(command.command('report'), context);
}
