/** What each rank of process-group.test.ts does: prints its results as JSON, a line each. */
import {
  fromArray,
  fusedBatchNorm,
  GradientReducer,
  ProcessGroup,
  RankLostError,
  Store,
  threads,
} from '@magface/torch';
import { batchNormCase, startStatistics } from './batch-norm-case.ts';

const [rank, size, port] = ['RANK', 'WORLD_SIZE', 'MASTER_PORT'].map((name) => Number(process.env[name]));
const [what = ''] = process.argv.slice(2);
const timeout = what === 'stuck' ? 1500 : 20_000;
threads(1);
const store = new Store({ port: port! });
const group = new ProcessGroup(store, { rank: rank!, size: size!, timeout, address: '127.0.0.1' });
const numbers = (...values: number[]) => fromArray(Float32Array.from(values));
const print = (value: unknown): void => console.log(JSON.stringify(value));

/** A collective in which `lost` is not there. */
function without(lost: number, end: () => void): void {
  group.barrier();
  if (rank === lost) {
    end();
    return;
  }
  try {
    group.allReduce(numbers(1));
    print('came through');
  } catch (error) {
    if (!(error instanceof RankLostError)) throw error;
    print(error.missing);
  }
}

/** BatchNorm and its gradients over this rank's rows of the 7 that one process would have. */
function gradients(channels: number): object {
  // Rank r has rows r, r + R, …; together they are the 7 rows that one process would have.
  const rows = Array.from({ length: 7 }, (_, i) => i).filter((i) => i % size! === rank);
  const { x, residual, ...learned } = batchNormCase(rows, channels);
  const { weight, bias, slope } = learned;
  const { runningMean, runningVariance } = startStatistics(channels);
  for (const leaf of [x, residual, ...Object.values(learned)]) leaf.requiresGrad = true;
  new GradientReducer(group, Object.values(learned), 8).sum(() => {
    const settings = { runningMean, runningVariance, training: true, momentum: 0.9, epsilon: 2e-5 };
    fusedBatchNorm(x, { ...settings, ...learned, residual, group })
      .pow(3)
      .sum()
      .backward();
  });
  const list = (tensor: { toArray(): ArrayLike<number | bigint> } | undefined) => Array.from(tensor!.toArray(), Number);
  const all = [weight.grad, bias.grad, slope.grad, runningMean, runningVariance].map(list);
  return { rows, own: [x.grad, residual.grad].map(list), all };
}

switch (what) {
  case 'collectives': {
    const work = group.startAllReduce(numbers(1));
    work.wait();
    print([
      [...group.allReduce(numbers(rank!, 1)).toArray()],
      [...group.allReduce(numbers(rank!, -rank!), 'max').toArray()],
      [...group.broadcast(numbers(rank! + 10), 1).toArray()],
      group
        .allGather(numbers(rank!, rank! * 2).reshape([1, 2]))
        .toArray()
        .join(),
      [...group.reduceScatter(fromArray(Float32Array.from({ length: size! }, (_, i) => i + rank!))).toArray()],
      work.isDone,
    ]);
    break;
  }
  case 'killed':
    without(1, () => process.kill(process.pid, 'SIGKILL'));
    break;
  case 'stuck':
    without(2, () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 9000));
    break;
  case 'gradients':
    print(process.argv.slice(3).map((channels) => gradients(Number(channels))));
    break;
}
process.exit(0);
