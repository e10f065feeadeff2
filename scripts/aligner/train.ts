/** Training loop of the aligner: SGD on the distance of the template's points. */
import { fromArray, noGrad, Sgd, scope, type Tensor } from '@magface/torch';
import { template } from '../../packages/magface/src/align.ts';
import type { Weights } from '../../packages/magface/src/graph/networks/builder.ts';
import { createNetwork, type Network } from '../../packages/magface/src/graph/torch/network.ts';
import { fieldSize, middle, outputScale } from '../../packages/magface/src/infer/aligner.ts';
import { randomStream } from '../../packages/magface/src/random.ts';
import { drawField, type Random } from './draw.ts';
import type { Face } from './faces.ts';
import { alignerNetwork } from './network.ts';
import { moveOf } from './similarity.ts';

/** Side of the network's input, which averages 2 x 2 pixels of the field. */
export const inputSize: number = fieldSize / 2;

const batchSize = 48;
const [peakRate, lastRate, warmUp] = [0.012, 1e-5, 200];
/** Gradient clipping: maximum norm. */
const longestGradient = 5;
/** Steps between reports. */
const reportEvery = 50;
/** Number of last batches over which BatchNorm's statistics are averaged. */
const averagedBatches = 60;

export interface TrainAlignerOptions {
  readonly steps: number;
  readonly onProgress: (progress: { readonly step: number; readonly error: number; readonly lr: number }) => void;
}

/** @returns the tensors by name, with averaged BatchNorm statistics */
export function trainAligner(faces: readonly Face[], { steps, onProgress }: TrainAlignerOptions): Weights {
  const network = createNetwork(alignerNetwork(), 1);
  startNearNothing(network);
  const optimizer = new Sgd([...network.weights.values()]);
  const random = randomStream(7);
  const drawn = faces.flatMap((face) => Array.from({ length: face.weight }, () => face));
  const statistics = new RunningMeans(network);
  let sum = 0;
  for (let step = 1; step <= steps; step++) {
    const { pictures, corrections } = drawBatch(drawn, faces, random);
    const lr = rateAt(step, steps);
    using _step = scope();
    optimizer.zeroGrad();
    const output = network.forward(fromArray(pictures, [batchSize, 3, inputSize, inputSize]), inTraining);
    const { loss, error } = lossOf(output, corrections);
    loss.backward();
    const length = Math.hypot(...optimizer.gradientNorms());
    if (!Number.isFinite(length)) throw new Error(`Expected finite gradients but step ${step} has others.`);
    optimizer.step({ lr, momentum: 0.9, weightDecay: 1e-4, gradientScale: Math.min(1, longestGradient / length) });
    sum += error;
    if (step > steps - averagedBatches) statistics.add();
    if (step % reportEvery === 0) {
      onProgress({ step, error: sum / reportEvery, lr });
      sum = 0;
    }
  }
  return statistics.weights();
}

/** The network has no dropout, whatever the mode. */
const inTraining = { training: true } as Parameters<Network['forward']>[1];

/** The last layer starts small, so that the first corrections are small. */
function startNearNothing(network: Network): void {
  using _ = noGrad();
  network.tensors.get('alignment.weight')!.mul_(0.1);
}

/** Learning rate: warm-up, then cosine decay. */
const rateAt = (step: number, steps: number): number =>
  lastRate + (peakRate * Math.min(1, step / warmUp) * (1 + Math.cos((Math.PI * step) / steps))) / 2;

function drawBatch(
  drawn: readonly Face[],
  faces: readonly Face[],
  random: Random,
): { readonly pictures: Float32Array; readonly corrections: Float32Array } {
  const pictures = new Float32Array(batchSize * 3 * inputSize * inputSize);
  const corrections = new Float32Array(4 * batchSize);
  const field = new Uint8Array(3 * fieldSize * fieldSize);
  const any = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)]!;
  for (let i = 0; i < batchSize; i++) {
    const correction = drawField(any(drawn), any(faces).image, random, field);
    corrections.set([correction.real, correction.imaginary, ...moveOf(correction)], 4 * i);
    halve(field, pictures, i * 3 * inputSize * inputSize);
  }
  return { pictures, corrections };
}

/** Averages 2 x 2 pixels, x / 255, one plane per channel. */
function halve(field: Uint8Array, pictures: Float32Array, start: number): void {
  const row = 3 * fieldSize;
  for (let channel = 0; channel < 3; channel++) {
    for (let y = 0; y < inputSize; y++) {
      for (let x = 0; x < inputSize; x++) {
        const at = 2 * y * row + 6 * x + channel;
        const sum = field[at]! + field[at + 3]! + field[at + row]! + field[at + row + 3]!;
        pictures[start + (channel * inputSize + y) * inputSize + x] = sum / (4 * 255);
      }
    }
  }
}

/** (4, 10): maps (real, imaginary, moveX, moveY) to x and y of the template's five points, relative to the centre. */
const pointsOf = Float32Array.from({ length: 40 }, (_, i) => {
  const [parameter, value] = [Math.floor(i / 10), i % 10];
  const [x, y] = [template[value >> 1]![0] - middle[0], template[value >> 1]![1] - middle[1]];
  return (value % 2 === 0 ? [x, -y, 1, 0] : [y, x, 0, 1])[parameter]!;
});

/**
 * Mean distance e of the five points, plus 1/20 of the negative Laplace log-likelihood of e, from which the fifth output
 * learns to predict e.
 */
function lossOf(output: Tensor, corrections: Float32Array): { readonly loss: Tensor; readonly error: number } {
  const scale = fromArray(Float32Array.from(outputScale), [1, 4]);
  const unchanged = fromArray(Float32Array.of(1, 0, 0, 0), [1, 4]);
  const found = output.narrow(1, 0, 4).mul(scale).add(unchanged); // (N, 4)
  const off = found.sub(fromArray(corrections, [batchSize, 4])).matmul(fromArray(pointsOf, [4, 10])); // (N, 10)
  const distance = off.reshape([batchSize, 5, 2]).square().sumDim([2]).add(0.01).sqrt().meanDim([1]); // (N)
  const logExpected = output.narrow(1, 4, 1).reshape([batchSize]).clamp({ min: -3, max: 4 });
  const likelihood = distance.detach().mul(logExpected.neg().exp()).add(logExpected).mean();
  return { loss: distance.mean().mul(0.2).add(likelihood.mul(0.05)), error: distance.mean().item() };
}

/** This project's BatchNorm follows the last batch closely, so the exported statistics are averaged over many batches. */
class RunningMeans {
  readonly #network: Network;
  readonly #sums = new Map<string, Float64Array>();
  #count = 0;

  constructor(network: Network) {
    this.#network = network;
  }

  add(): void {
    this.#count++;
    for (const [name, tensor] of this.#network.tensors) {
      if (!/\.running_(mean|var)$/.test(name)) continue;
      const values = tensor.toArray() as Float32Array;
      const sums = this.#sums.get(name) ?? new Float64Array(values.length);
      for (const [i, value] of values.entries()) sums[i]! += value;
      this.#sums.set(name, sums);
    }
  }

  weights(): Weights {
    const entries = [...this.#network.tensors].map(([name, tensor]) => {
      const sums = this.#sums.get(name);
      const values = sums === undefined ? tensor.toArray() : sums.map((sum) => sum / this.#count);
      return [name, Float32Array.from(values as ArrayLike<number>)] as const;
    });
    return new Map(entries);
  }
}
