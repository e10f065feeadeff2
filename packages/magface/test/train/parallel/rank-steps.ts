/** Five steps on one rank; prints what tests compare. Words: {@link Case}s as JSON. */
import { noGrad, ProcessGroup, Store, scope, type Tensor, threads } from '@magface/torch';
import { LossScale } from '../../../src/train/loop/loss-scale.ts';
import type { Trainer, TrainerOptions } from '../../../src/train/loop/trainer.ts';
import { Ranks } from '../../../src/train/parallel/ranks.ts';
import { shareOf } from '../../../src/train/parallel/shares.ts';
import { batchSize, tinyBatch, tinyTeacher, tinyTrainer } from './tiny.ts';

const [rank = 0, size = 1, port = 0] = ['RANK', 'WORLD_SIZE', 'MASTER_PORT'].map((name) => Number(process.env[name]));

/** What a step left: the loss, and gradients that come from all ranks or belong to this one. */
export interface StepTrace {
  readonly loss: number;
  readonly accuracy: number;
  readonly gradientNorm: number;
  readonly skipped: string | undefined;
  readonly backbone: readonly (readonly number[])[];
  /** (K_r, D) */
  readonly centers: readonly number[];
  /** Sums over all weights, and over all running statistics. */
  readonly state: readonly number[];
}

/** Options of the trainer, and what goes wrong on purpose. */
export interface Case extends Omit<Partial<TrainerOptions>, 'lossScale'> {
  /** To begin with. */
  readonly lossScale?: number;
  /** The rank whose first center is so short that its gradient overflows under a great loss scale. */
  readonly shortCenterOn?: number;
  /** Whether there is a teacher. */
  readonly taught?: boolean;
}

/** The trainer of a case. */
export const trainerOf = ({ taught = false, ...options }: Partial<TrainerOptions> & Pick<Case, 'taught'>): Trainer =>
  tinyTrainer({ ...options, ...(taught && { distillation: { teacher: tinyTeacher, weight: 0.5, logits: 0.2 } }) });

const list = (values: ArrayLike<number | bigint>): number[] => Array.from(values, Number);

export function trace(trainer: Trainer, rows: { first: number; count: number }, step: number, lr = 0.05): StepTrace {
  using _ = scope();
  const { images, labels } = tinyBatch(step);
  const own = (whole: Tensor): Tensor => whole.narrow(0, rows.first, rows.count);
  const indices = Uint32Array.from({ length: rows.count }, (_row, i) => rows.first + i);
  const part = trainer.learn(own(images), own(labels), lr, indices);
  using _noGrad = noGrad();
  const { centers } = trainer;
  const isWhole = centers.size(0) === trainer.options.architecture.embeddingLength; // (D, K)
  const gradient = centers.grad ?? centers.zerosLike();
  const state = [...trainer.network.tensors.values(), centers].map((tensor) => tensor.detach().sum().item());
  return {
    loss: part.loss,
    accuracy: part.accuracy,
    gradientNorm: part.gradientNorm,
    skipped: part.skipped?.reason,
    backbone: trainer.optimizer.parameters.map((parameter) => list(parameter.grad!.toArray())),
    centers: list((isWhole ? gradient.t().contiguous() : gradient).toArray()),
    state,
  };
}

if (process.env['RANK'] !== undefined) {
  threads(1);
  const group = new ProcessGroup(new Store({ port }), { rank, size, timeout: 20_000, address: '127.0.0.1' });
  const run = ({ lossScale, shortCenterOn, ...options }: Case): StepTrace[] => {
    const scale = lossScale === undefined ? {} : { lossScale: new LossScale(lossScale) };
    const trainer = trainerOf({ ...options, ...scale, ranks: new Ranks(group) });
    if (shortCenterOn === rank) trainer.centers.detach().narrow(0, 0, 1).fill_(1e-25);
    return Array.from({ length: 5 }, (_, step) => trace(trainer, shareOf(batchSize, group), step));
  };
  const all = process.argv.slice(2).map((words) => run(JSON.parse(words) as Case));
  process.stdout.write(JSON.stringify(all), () => process.exit(0));
}
