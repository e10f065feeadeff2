/**
 * Compares iResNet-18 on 1, 2 and 4 ranks with one process without a group: differences of losses and gradients, the
 * differences that rounding alone causes (images changed by a millionth), and memory, traffic and time against `magface plan`.
 *
 *     npx tsx --conditions=magface:source bench/parallel-ranks.ts
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Generator, ProcessGroup, Store, scope, threads, zeros } from '@magface/torch';
import { iresnet } from '../packages/magface/src/graph/networks/iresnet.ts';
import { Trainer } from '../packages/magface/src/train/loop/trainer.ts';
import { measureMachine } from '../packages/magface/src/train/parallel/measure-machine.ts';
import { plan } from '../packages/magface/src/train/parallel/plan.ts';
import { Ranks } from '../packages/magface/src/train/parallel/ranks.ts';
import { shareOf } from '../packages/magface/src/train/parallel/shares.ts';
import { writeResult } from './support/result.ts';

const [batch, classes, steps] = [8, 20_001, 2] as const;

interface Measured {
  readonly losses: readonly number[];
  readonly gradientNorms: readonly number[];
  readonly peakMiB: number;
  readonly secondsAStep: number;
  readonly megabytesOverLoopback: number;
}

const peakMiB = (): number => Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))![1]) / 1024;
/** For the whole machine, so it includes the traffic of other programs. */
const loopback = (): number => Number(/lo:\s*\d+(?:\s+\d+){7}\s+(\d+)/.exec(readFileSync('/proc/net/dev', 'utf8'))![1]);

function measure(change: number): Measured {
  const size = Number(process.env['WORLD_SIZE'] ?? 0);
  threads(1);
  const place = { rank: Number(process.env['RANK'] ?? 0), size: Math.max(size, 1) };
  const store = (): Store => new Store({ port: Number(process.env['MASTER_PORT']) });
  const ranks = size === 0 ? {} : { ranks: new Ranks(new ProcessGroup(store(), { ...place, address: '127.0.0.1' })) };
  const trainer = new Trainer({ architecture: iresnet('iresnet18'), classes, loss: {}, dropout: 0, ...ranks });
  const { first, count } = shareOf(batch, place);
  const [losses, gradientNorms]: [number[], number[]] = [[], []];
  let [start, sent] = [0, 0];
  for (let step = 0; step <= steps; step++) {
    using _ = scope();
    const generator = new Generator(step);
    const images = zeros([batch, 3, 112, 112])
      .uniform_({ from: 0, to: 1, generator })
      .mul(1 + change);
    const labels = zeros([batch]).uniform_({ from: 0, to: classes, generator }).to({ dtype: 'int64' });
    const result = trainer.learn(images.narrow(0, first, count), labels.narrow(0, first, count), 1e-4);
    losses.push(result.loss);
    gradientNorms.push(result.gradientNorm);
    if (step === 0) [start, sent] = [performance.now(), loopback()]; // the first is a warm-up
  }
  const secondsAStep = (performance.now() - start) / 1000 / steps;
  const megabytesOverLoopback = (loopback() - sent) / 1e6 / steps;
  return { losses, gradientNorms, peakMiB: peakMiB(), secondsAStep, megabytesOverLoopback };
}

/** @param size - R; 0 is one process without a group. */
async function run(size: number, change = 0): Promise<Measured> {
  const port = size === 0 ? 0 : new Store({ isServer: true }).port;
  const words = ['--import', import.meta.resolve('tsx'), '-C', 'magface:source', fileURLToPath(import.meta.url)];
  const results = Array.from({ length: Math.max(size, 1) }, async (_, rank) => {
    const group = size === 0 ? {} : { WORLD_SIZE: `${size}`, RANK: `${rank}`, MASTER_PORT: `${port}` };
    const env = { ...process.env, ...group, BENCH_RANK: 'yes' };
    return JSON.parse((await promisify(execFile)(process.execPath, [...words, `${change}`], { env })).stdout);
  });
  return (await Promise.all(results))[0] as Measured;
}

if (process.env['BENCH_RANK'] === undefined) {
  const alone = await run(0);
  const apart = (a: readonly number[], b: readonly number[]): number =>
    Math.max(...a.map((value, i) => Math.abs(value / b[i]! - 1)));
  const beside = (one: Measured) => ({
    lossDifference: apart(one.losses, alone.losses),
    gradientNormDifference: apart(one.gradientNorms, alone.gradientNorms),
  });
  const rounding = beside(await run(0, 1e-6));
  const runs = [];
  const task = { arch: 'iresnet18', embeddingSize: 512, precision: 'fp32', images: 4 } as const;
  const constants = await measureMachine({ ...task, ranks: 2 }); // two ranks, one core each
  for (const ranks of [1, 2, 4]) {
    const one = await run(ranks);
    const gflops = constants.gflops * Math.min(1, 2 / ranks); // four ranks share two cores
    const { memory, traffic, time } = plan({
      ...{ architecture: iresnet('iresnet18'), classes, ranks, batch, gflops },
      bandwidth: constants.bandwidth!,
    });
    const planned = {
      mebibytes: memory.total / 2 ** 20,
      megabytesSentByAll: (ranks * traffic.total) / 1e6,
      secondsAStep: time.total,
    };
    runs.push({ ranks, ...beside(one), measured: one, planned, timeOverPlanned: one.secondsAStep / time.total });
  }
  writeResult('parallel-ranks', {
    settings: { batch, classes, steps, threadsARank: 1 },
    constants,
    alone,
    rounding,
    runs,
  });
} else {
  process.stdout.write(JSON.stringify(measure(Number(process.argv[2]))), () => process.exit(0));
}
