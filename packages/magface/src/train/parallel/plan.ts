/**
 * Estimates a parallel run: memory and traffic of one rank, and the time of a step from two measured constants. Letters are
 * those of docs/scaling.md: P parameters, B batch, D embedding, K classes, R ranks, ρ share of sampled classes.
 */
import type { Architecture } from '../../graph/networks/builder.ts';
import { networkCost } from '../../graph/networks/network-cost.ts';
import type { OptimizerName } from '../model/optimizer.ts';

/** The planned run and its machines. */
export interface PlanOptions {
  readonly architecture: Architecture;
  /** K. */
  readonly classes: number;
  /** R. */
  readonly ranks: number;
  /** B, total over all ranks. @default 512 */
  readonly batch?: number;
  /** ρ. @default 1 */
  readonly sampleRate?: number;
  /** @default 'sgd' */
  readonly optimizer?: OptimizerName;
  /** Bytes of an activation: 4 in fp32, 2 in bf16 and fp16. @default 4 */
  readonly activationBytes?: 2 | 4;
  /** Arithmetic of a rank, in 10⁹ operations per second. @default 50 */
  readonly gflops?: number;
  /** Bandwidth of a rank, in 10⁹ bytes per second. @default 1 */
  readonly bandwidth?: number;
}

/** The cost of a step on one rank. */
export interface Plan {
  /** Bytes. */
  readonly memory: {
    /** Weights, gradients and their communication buckets, and velocities or AdamW's two means: 16 P or 20 P. */
    readonly backbone: number;
    readonly activations: number;
    /** Centers, and velocities or AdamW's two means: 8 D K / R or 12 D K / R. */
    readonly centers: number;
    /** For sampled centers: gradients, normalised centers and their gradients. */
    readonly centerWork: number;
    /** Logits with their copies and gradients: 28 B ρ K / R. */
    readonly logits: number;
    readonly total: number;
  };
  /** Bytes that a rank sends per step, independent of K. */
  readonly traffic: {
    readonly gradients: number;
    /** Gathering them and summing their gradient. */
    readonly features: number;
    readonly softmax: number;
    readonly batchNorm: number;
    readonly total: number;
  };
  /** Seconds per step, assuming no overlap of communication and arithmetic. */
  readonly time: {
    readonly backbone: number;
    readonly head: number;
    readonly communication: number;
    readonly total: number;
  };
}

/** Matrices of the size of the sampled centers: gradient, normalised, its gradient, one product. */
const centerCopies = 4;
/** Tensors that an optimizer keeps per parameter: SGD's velocity, AdamW's means of gradients and of their squares. */
const keptTensors = { sgd: 1, adamw: 2 } as const;
/** Matrices of the size of the logits alive at the peak of the backward pass. */
const logitCopies = 7;
/** Numbers per sample that the distributed softmax exchanges. */
const softmaxNumbers = 5;

/** @returns calculated memory, traffic and time of a step on one rank, without running anything */
export function plan(options: PlanOptions): Plan {
  const { architecture, classes, ranks, batch = 512, sampleRate = 1, activationBytes = 4 } = options;
  const kept = keptTensors[options.optimizer ?? 'sgd'];
  const { gflops = 50, bandwidth = 1 } = options;
  const { parameters, activations, operations, normChannels } = networkCost(architecture);
  const dimension = architecture.embeddingLength;
  const own = Math.ceil(classes / ranks);
  const active = Math.ceil(own * sampleRate);
  const images = Math.ceil(batch / ranks);
  // Partial FC works on copies of the sampled centers and of what the optimizer keeps for them.
  const copies = centerCopies + (sampleRate < 1 ? 1 + kept : 0);

  const memory = {
    backbone: 4 * (3 + kept) * parameters,
    activations: activationBytes * activations * images,
    centers: 4 * (1 + kept) * dimension * own,
    centerWork: 4 * dimension * active * copies,
    logits: 4 * batch * active * logitCopies,
  };
  // In a ring, a gather forwards every other rank's part; a sum forwards all but one part twice.
  const gathered = (bytes: number): number => (bytes * (ranks - 1)) / ranks;
  const summed = (bytes: number): number => 2 * gathered(bytes);
  const features = 4 * batch * dimension;
  const channels = normChannels.reduce((sum, count) => sum + count, 0);
  const traffic = {
    gradients: summed(4 * parameters),
    features: gathered(features) + summed(features),
    softmax: summed(4 * softmaxNumbers * batch),
    batchNorm: summed(8 * (4 * channels + normChannels.length)),
  };
  const total = (parts: Readonly<Record<string, number>>): number => Object.values(parts).reduce((a, b) => a + b, 0);
  const time = {
    backbone: (3 * operations * images) / (gflops * 1e9),
    head: (6 * batch * dimension * active) / (gflops * 1e9),
    communication: total(traffic) / (bandwidth * 1e9),
  };
  return {
    memory: { ...memory, total: total(memory) },
    traffic: { ...traffic, total: total(traffic) },
    time: { ...time, total: total(time) },
  };
}
