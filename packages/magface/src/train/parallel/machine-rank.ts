/**
 * One of the processes with which `magface plan --measure` measures a machine's two constants: it runs training steps beside
 * the others without communicating, then sums gradients with them. Prints {@link MachineConstants} as JSON.
 *
 * Started by measure-machine.ts with torchrun's variables and {@link RankTask} as its argument.
 */
import { cacheMemory, Generator, scope, threads, zeros } from '@magface/torch';
import { openArchitecture } from '../../graph/networks/architectures.ts';
import { networkCost } from '../../graph/networks/network-cost.ts';
import { Trainer } from '../loop/trainer.ts';
import { coresOfRank, joinGroup, rankOf } from './environment.ts';

/** What the process measures. */
export interface RankTask {
  readonly arch: string;
  readonly embeddingSize: number;
  readonly precision: 'fp32' | 'bf16';
  /** Images per step. */
  readonly images: number;
}

/** The constants with which `plan` estimates time. */
export interface MachineConstants {
  /** 10⁹ operations per second of a rank during training. */
  readonly gflops: number;
  /** 10⁹ bytes per second that a rank sends; undefined for one process. */
  readonly bandwidth: number | undefined;
}

/** Few classes, so that the backbone dominates. */
const classes = 1000;
const [steps, sums, bucketBytes] = [3, 8, 25 * 2 ** 20] as const;

const place = rankOf(process.env)!;
const group = joinGroup(place, process.env, { timeout: 300 });
threads(coresOfRank(process.env));
cacheMemory(2048 * 2 ** 20);
const own = { gflops: await arithmetic(JSON.parse(process.argv[2]!)), bandwidth: place.size > 1 ? wire() : undefined };
const gflops = meanOverRanks(own.gflops);
if (place.rank === 0) process.stdout.write(`${JSON.stringify({ ...own, gflops } satisfies MachineConstants)}\n`);
group.barrier();
process.exit(0); // the group's threads would keep the process alive

/** Times the fastest of a few steps while all ranks work. */
async function arithmetic({ arch, embeddingSize, precision, images }: RankTask): Promise<number> {
  const network = await openArchitecture(arch, embeddingSize);
  const trainer = new Trainer({ architecture: network, classes, loss: {}, precision });
  const work = images * (3 * networkCost(network).operations + 6 * embeddingSize * classes);
  let best = Number.POSITIVE_INFINITY;
  for (let step = 0; step <= steps; step++) {
    using _ = scope();
    const generator = new Generator(step);
    const pixels = zeros([images, 3, 112, 112]).uniform_({ from: 0, to: 1, generator });
    const labels = zeros([images]).uniform_({ from: 0, to: classes, generator }).to({ dtype: 'int64' });
    group.barrier();
    const start = performance.now();
    trainer.learn(pixels, labels, 1e-4);
    if (step > 0) best = Math.min(best, performance.now() - start); // the first step warms up
  }
  return work / best / 1e6;
}

/** Times sums of one bucket of gradients: each rank sends 2 (R − 1) / R of it. */
function wire(): number {
  using _ = scope();
  const bucket = zeros([bucketBytes / 4]);
  group.allReduce(bucket);
  const start = performance.now();
  for (let i = 0; i < sums; i++) group.allReduce(bucket);
  const sent = (sums * 2 * bucketBytes * (place.size - 1)) / place.size;
  return sent / (performance.now() - start) / 1e6;
}

function meanOverRanks(value: number): number {
  using _ = scope();
  return group.allReduce(zeros([1]).fill_(value)).item() / place.size;
}
