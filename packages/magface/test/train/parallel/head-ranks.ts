/** Every golden case of the heads on one rank; prints what split-heads.test.ts compares. Words: a folder for checkpoints. */
import { join } from 'node:path';
import { noGrad, ProcessGroup, Store, scope, type Tensor, threads } from '@magface/torch';
import { readCheckpoint } from '../../../src/train/loop/checkpoint-file.ts';
import type { LossName } from '../../../src/train/model/heads/loss-table.ts';
import type { OptimizerName } from '../../../src/train/model/optimizer.ts';
import { writeSharded } from '../../../src/train/parallel/sharded-checkpoint.ts';
import { shareOf } from '../../../src/train/parallel/shares.ts';
import { SplitHead, type SplitHeadOptions } from '../../../src/train/parallel/split-head.ts';
import { type GoldenCase, golden, goldenInputs, smoothing } from '../model/heads/golden-heads.ts';

const [rank = 0, size = 1, port = 0] = ['RANK', 'WORLD_SIZE', 'MASTER_PORT'].map((name) => Number(process.env[name]));
const [folder = '.'] = process.argv.slice(2);

export interface HeadTrace {
  readonly loss: number;
  readonly gradientNorm: number;
  readonly marginMean: number;
  /** (n, D): of this rank's samples. */
  readonly gradX: readonly number[];
  /** (K_r, D) */
  readonly gradW: readonly number[];
  readonly state: Readonly<Record<string, number>>;
}

export interface RankResult {
  /** [case][step] */
  readonly full: readonly HeadTrace[][];
  /** The same with Partial FC that happens to sample every class. */
  readonly sampled: readonly HeadTrace[][];
  /** One step of each case with smoothed labels. */
  readonly smoothed: readonly HeadTrace[];
  /** Losses of two steps after a checkpoint: of the head that went on, and of a restored one. */
  readonly resumed: Readonly<Record<string, readonly [number[], number[]]>>;
}

const list = (values: ArrayLike<number | bigint>): number[] => Array.from(values, Number);

type Inputs = Pick<GoldenCase, 'tag' | 'spread' | 'loss'>;

function openSplit(group: ProcessGroup, one: Inputs, options: Partial<SplitHeadOptions> = {}): SplitHead {
  const { D, K, seed } = golden;
  const head = new SplitHead(group, D, K, { loss: { name: one.loss }, seed, ...options });
  using _ = noGrad();
  const { first, count } = head.share;
  head.centers.detach().copy_(goldenInputs(one).w.detach().narrow(1, first, count).t());
  return head;
}

/** This rank's features as a leaf, and the labels of all. */
function inputsOf(one: Inputs): { readonly features: Tensor; readonly labels: Tensor } {
  const { x, labels } = goldenInputs(one);
  const { first, count } = shareOf(golden.N, { rank, size });
  const features = x.detach().narrow(0, first, count).clone();
  features.requiresGrad = true;
  return { features, labels };
}

function traces(group: ProcessGroup, one: GoldenCase, sampleRate: number): HeadTrace[] {
  const head = openSplit(group, one, { sampleRate });
  return one.steps.map((_, step) => traceOf(head, one, { step, keys: Object.keys(one.steps[0]!.state) }));
}

function traceOf(
  head: SplitHead,
  one: Inputs,
  { step, keys }: { readonly step: number; readonly keys: readonly string[] },
): HeadTrace {
  using _step = scope();
  const { features, labels } = inputsOf(one);
  const { loss, margins } = head.backward(features, labels, 1, step);
  using _grad = noGrad();
  const gradientNorm = head.gradientNorm();
  const gradW = head.centers.grad === undefined ? [] : list(head.centers.grad.toArray());
  head.step({ lr: 0, momentum: 0 });
  const saved = [...head.save()].filter(([name]) => keys.includes(name.slice(3)));
  const state = saved.map(([name, { bytes }]) => {
    return [name.slice(3), new DataView(bytes.buffer, bytes.byteOffset).getFloat32(0, true)] as const;
  });
  const gradX = list(features.grad!.toArray());
  return { loss, gradientNorm, marginMean: margins.mean().item(), gradX, gradW, state: Object.fromEntries(state) };
}

async function resumedLosses(
  group: ProcessGroup,
  name: LossName,
  optimizer: OptimizerName,
): Promise<readonly [number[], number[]]> {
  const one = golden.cases.find(({ loss }) => loss === name)!;
  const learn = (head: SplitHead, step: number): number => {
    using _step = scope();
    const { features, labels } = inputsOf(one);
    const { loss } = head.backward(features, labels, 1, step);
    using _grad = noGrad();
    head.step({ lr: 0.01, momentum: 0.9, weightDecay: 5e-4, step: step + 1 });
    return loss;
  };
  const head = openSplit(group, one, { sampleRate: 0.5, optimizer });
  for (const step of [0, 1]) learn(head, step);
  const file = join(folder, `${name}-${optimizer}.safetensors`);
  await writeSharded(file, { tensors: head.save(), state: {} }, group);
  const restored = openSplit(group, one, { sampleRate: 0.5, optimizer });
  restored.restore((await readCheckpoint(file)).tensors, file);
  return [[2, 3].map((step) => learn(head, step)), [2, 3].map((step) => learn(restored, step))];
}

if (process.env['RANK'] !== undefined) {
  threads(1);
  const group = new ProcessGroup(new Store({ port }), { rank, size, timeout: 60_000, address: '127.0.0.1' });
  const full = golden.cases.map((one) => traces(group, one, 1));
  const sampled = golden.cases.map((one) => traces(group, one, 0.999_999));
  const resumed: Record<string, readonly [number[], number[]]> = {};
  for (const name of new Set(golden.cases.map(({ loss }) => loss)))
    resumed[name] = await resumedLosses(group, name, 'sgd');
  for (const name of ['arcface', 'adam-softmax', 'uniface'] as const)
    resumed[`${name} with adamw`] = await resumedLosses(group, name, 'adamw');
  const smoothed = smoothing.map((one) =>
    traceOf(openSplit(group, one, { labelSmoothing: one.smoothing }), one, { step: 0, keys: [] }),
  );
  const result: RankResult = { full, sampled, smoothed, resumed };
  process.stdout.write(JSON.stringify(result), () => process.exit(0));
}
