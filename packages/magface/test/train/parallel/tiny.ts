/** A network and batches small enough to train in every process of a test. */
import { Generator, type Tensor, zeros } from '@magface/torch';
import { type Architecture, inputValue, NetworkBuilder } from '../../../src/graph/networks/builder.ts';
import { asColumns, normalized } from '../../../src/train/finetune/directions.ts';
import { Trainer, type TrainerOptions } from '../../../src/train/loop/trainer.ts';
import type { Teacher } from '../../../src/train/model/distillation.ts';
import type { MagFaceOptions } from '../../../src/train/model/magface-loss.ts';
import { u01 } from '../golden.ts';

export const batchSize = 13;
/** Neither 2 nor 3 nor 4 divide it. */
export const classes = 23;

/** A residual block between a convolution and a linear layer, for images of 12x12. */
export function tinyNetwork(): Architecture {
  const net = new NetworkBuilder();
  let x = net.conv('conv1', inputValue, { from: 3, to: 6, kernel: 3 });
  x = net.batchNorm('bn1', x, 6);
  const shortcut = net.prelu('prelu', x, 6);
  x = net.conv('conv2', shortcut, { from: 6, to: 6, kernel: 3 });
  x = net.batchNorm('bn2', x, 6);
  x = net.add('add', x, shortcut);
  x = net.conv('conv3', x, { from: 6, to: 8, kernel: 3, stride: 2 });
  x = net.channelDropout('dropout', x);
  x = net.flatten('flatten', x); // (N, 8 · 6 · 6)
  x = net.linear('fc', x, 8 * 36, 16);
  net.batchNorm('features', x, 16);
  return net.build('tiny', 16);
}

/** Magnitudes of about √16 = 4 lie within these. */
export const tinyLoss: MagFaceOptions = {
  lowerMagnitude: 1,
  upperMagnitude: 10,
  lowerMargin: 0.1,
  upperMargin: 0.5,
  lambdaG: 5,
  scale: 16,
};

/** A teacher of more values than the network has; its knowledge means nothing. */
export const tinyTeacher: Teacher = {
  directions: normalized({ values: u01('teacher', 20 * batchSize).map((u) => u - 0.5), dimension: 20 }).values,
  centers: asColumns({ values: u01('people', 20 * classes).map((u) => u - 0.5), dimension: 20 }),
  dimension: 20,
};

export const tinyTrainer = (more: Partial<TrainerOptions> = {}): Trainer =>
  new Trainer({ architecture: tinyNetwork(), classes, loss: tinyLoss, dropout: 0, ...more });

/** The batch of a step: images (N, 3, 12, 12) and labels (N). */
export function tinyBatch(step: number): { readonly images: Tensor; readonly labels: Tensor } {
  const generator = new Generator(100 + step);
  const images = zeros([batchSize, 3, 12, 12]).uniform_({ from: 0, to: 1, generator });
  const labels = zeros([batchSize]).uniform_({ from: 0, to: classes, generator }).to({ dtype: 'int64' });
  return { images, labels };
}
