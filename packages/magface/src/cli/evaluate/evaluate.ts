/** `magface evaluate ...`: the field's protocols, on existing features or on sets of images. */
import type { Command } from 'commander';
import type { Context } from '../context.ts';
import type { ExitCode } from '../errors.ts';
import { defineEvaluateClusters } from './clusters.ts';
import { defineEvaluateIjb } from './ijb.ts';
import { defineEvaluatePairs } from './pairs.ts';
import { defineEvaluateReject } from './reject.ts';
import { defineEvaluateReport } from './report.ts';
import { defineEvaluateRobustness } from './robustness.ts';
import { defineEvaluateSet } from './set.ts';
import { defineEvaluateSuite } from './suite.ts';

const examples = `
Examples:
  magface evaluate set lfw.bin --model my.onnx --flip --report lfw.html
  magface evaluate suite suite.yaml
  magface evaluate pairs --features lfw.list --pairs pair.list
  magface evaluate pairs --features lfw.npy --pairs pairs.txt --intervals
  magface evaluate reject --features f.npy --pairs p.list --threshold official
  magface evaluate ijb --features ijbc.npy --meta IJBC/meta --type c \\
      --magnitude-weighted
  magface evaluate clusters --faces aligned/ --aligned
  magface evaluate report --features a.npy b.npy --pairs p.txt --output out.html
  magface evaluate robustness --faces aligned/ --model my.onnx --report out.html`;

export function defineEvaluate(
  command: Command,
  context: Context,
  done: (exitCode: ExitCode) => void = () => undefined,
): void {
  command.addHelpText('after', examples);
  defineEvaluateSet(command.command('set'), context);
  defineEvaluateSuite(command.command('suite'), context, done);
  defineEvaluatePairs(command.command('pairs'), context);
  defineEvaluateReject(command.command('reject'), context);
  defineEvaluateIjb(command.command('ijb'), context);
  defineEvaluateClusters(command.command('clusters'), context);
  defineEvaluateReport(command.command('report'), context);
  defineEvaluateRobustness(command.command('robustness'), context, done);
}
