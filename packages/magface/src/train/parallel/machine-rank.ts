/**
 * One of the processes by which `magface plan --measure` learns a machine's two constants: it does training steps beside the
 * others, without a word to them, then sums gradients with them. Prints {@link MachineConstants} as JSON.
 *
 * Started by measure-machine.ts with torchrun's variables and {@link RankTask} as its argument.
 */
import { cacheMemory, Generator, scope, threads, zeros } from '@magface/torch';
import { Trainer } from '../loop/trainer.ts';
import { openArchitecture } from '../model/architectures.ts';
import { networkCost } from '../model/network-cost.ts';
import { coresOfRank, joinGroup, rankOf } from './environment.ts';

/** What a process is to do. */
export interface RankTask {
  readonly arch: string;
  readonly embeddingSize: number;
  readonly precision: 'fp32' | 'bf16';
  /** Images a step. */
  readonly images: number;
}

/** What `plan` reckons time with. */
export interface MachineConstants {
  /** 10⁹ operations that a rank does in a second while it trains. */
  readonly gflops: number;
  /** 10⁹ bytes that a rank sends in a second; undefined for one process. */
  readonly bandwidth: number | undefined;
}

/** Few, so that the backbone's part is what is measured. */
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
process.exit(0); // a group has threads that would hold the process

/** The best of a few steps, all ranks at work at once. */
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
    if (step > 0) best = Math.min(best, performance.now() - start); // the first warms up
  }
  return work / best / 1e6;
}

/** Sums of one bucket of gradients: each rank sends 2 (R − 1) / R of it. */
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
