/** `magface plan`: predicts memory, traffic and time of a parallel run. */
import type { Command } from 'commander';
import type { ConfigOf } from '../settings/setting.ts';
import type { Plan } from '../train/parallel/plan.ts';
import type { Context } from './context.ts';
import type { ExitCode } from './errors.ts';
import { formatOf, outputSettings } from './options.ts';
import { printRecord } from './output.ts';
import { addSettings } from './setting-flags.ts';
import { asTrainingError } from './training-error.ts';

const settings = {
  classes: { takes: 'count', value: '<n>', says: 'people in the training set', required: true },
  ranks: { takes: 'count', value: '<n>', says: 'processes', default: 1 },
  batch: { takes: 'count', value: '<n>', says: 'images per step, over all processes', default: 512 },
  arch: { takes: 'text', value: '<name>', says: 'backbone', default: 'iresnet100' },
  embeddingSize: { takes: 'count', value: '<n>', says: 'length of the feature', default: 512 },
  sampleRate: {
    takes: 'share',
    value: '<share>',
    says: 'share of class centers that take part in a step',
    default: 1,
  },
  optimizer: {
    takes: 'choice',
    choices: ['sgd', 'adamw'],
    value: '<name>',
    says: 'optimizer, which keeps one (sgd) or two tensors (adamw) per parameter',
    default: 'sgd',
  },
  precision: {
    takes: 'choice',
    choices: ['fp32', 'bf16', 'fp16'],
    value: '<kind>',
    says: 'type of the activations',
    default: 'fp32',
  },
  gflops: {
    takes: 'positive',
    value: '<n>',
    says: 'measured 10⁹ operations per second of one process',
    default: 50,
  },
  bandwidth: {
    takes: 'positive',
    value: '<GB/s>',
    says: 'measured 10⁹ bytes per second sent by one process',
    default: 1,
  },
  measure: {
    takes: 'boolean',
    value: '',
    says: 'measure both with as many processes on this machine, in half a minute; needs @magface/torch',
  },
  ...outputSettings,
} as const;

type Flags = ConfigOf<typeof settings>;

const examples = `
Examples:
  magface plan --classes 2000000 --ranks 64 --batch 512
  magface plan --classes 10000000 --ranks 64 --sample-rate 0.1 --json
  magface plan --classes 85742 --ranks 2 --batch 32 --arch iresnet18 --measure`;

export function definePlan(command: Command, context: Context, done: (exitCode: ExitCode) => void): void {
  command.description('Predict what each of several processes needs: memory by part, bytes sent, time per step.');
  addSettings(command, settings)
    .addHelpText('after', examples)
    .action(async (flags: Flags) => {
      const { plan } = await import('../train/parallel/plan.ts');
      const { openArchitecture } = await import('../graph/networks/architectures.ts');
      const { arch, embeddingSize, precision, ...rest } = flags;
      const activationBytes = precision === 'fp32' ? 4 : 2;
      const network = await openArchitecture(arch, embeddingSize);
      const constants = flags.measure === true ? await measured(flags) : rest;
      const made = plan({ ...rest, ...constants, architecture: network, activationBytes });
      const lines = [...linesOf(made), constantsLine(constants, flags)];
      await printRecord(
        context.stdout,
        { ...made, constants: { ...constantsOf(constants) } },
        { format: formatOf(flags), lines },
      );
      done(0);
    });
}

type Constants = Pick<Flags, 'gflops' | 'bandwidth'>;

const constantsOf = ({ gflops, bandwidth }: Constants): Constants => ({ gflops, bandwidth });

/** Measures this machine with at most eight images per step and rank; more would only take longer. */
async function measured({ ranks, batch, arch, embeddingSize, precision, bandwidth }: Flags): Promise<Constants> {
  const images = Math.max(1, Math.min(8, Math.floor(batch / ranks)));
  const task = { arch, embeddingSize, images, precision: precision === 'fp32' ? 'fp32' : 'bf16' } as const;
  try {
    const { measureMachine } = await import('../train/parallel/measure-machine.ts');
    const constants = await measureMachine({ ...task, ranks });
    return { gflops: constants.gflops, bandwidth: constants.bandwidth ?? bandwidth };
  } catch (error) {
    throw asTrainingError(error);
  }
}

const constantsLine = ({ gflops, bandwidth }: Constants, { measure }: Flags): string =>
  `Calculated with ${gflops.toFixed(1)} GFLOP/s and ${bandwidth.toFixed(2)} GB/s per process, ${measure === true ? 'measured here' : 'as given; --measure measures both'}.`;

function linesOf({ memory, traffic, time }: Plan): string[] {
  const part = (name: string, value: string): string => `  ${name.padEnd(34)}${value.padStart(12)}`;
  const bytes = (value: number): string =>
    value >= 2 ** 30 ? `${(value / 2 ** 30).toFixed(2)} GiB` : `${(value / 2 ** 20).toFixed(1)} MiB`;
  const seconds = (value: number): string =>
    value < 0.1 ? `${(value * 1000).toFixed(2)} ms` : `${value.toFixed(2)} s`;
  return [
    'Memory of one process:',
    part('backbone and its optimizer', bytes(memory.backbone)),
    part('activations', bytes(memory.activations)),
    part('class centers and their optimizer', bytes(memory.centers)),
    part('work on class centers', bytes(memory.centerWork)),
    part('logits', bytes(memory.logits)),
    part('total', bytes(memory.total)),
    'Sent by one process in a step:',
    part('gradients of the backbone', bytes(traffic.gradients)),
    part('features and their gradient', bytes(traffic.features)),
    part('softmax', bytes(traffic.softmax)),
    part('BatchNorm', bytes(traffic.batchNorm)),
    part('total', bytes(traffic.total)),
    'Time of a step:',
    part('backbone', seconds(time.backbone)),
    part('class centers', seconds(time.head)),
    part('communication', seconds(time.communication)),
    part('total', seconds(time.total)),
  ];
}
