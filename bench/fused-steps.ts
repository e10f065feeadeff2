/**
 * Compares fused BatchNorm with libtorch's separate operators, forward and backward: `npx tsx -C magface:source
 * bench/fused-steps.ts [BATCH] [ROUNDS]`. The two alternate, and both use the caching allocator. It measures the CPU time of
 * one thread, so that other work on the machine has little effect.
 */
import { cacheMemory, fusedBatchNorm, ones, scope, type Tensor, threads, torchVersion, zeros } from '@magface/torch';
import { iresnet } from '../packages/magface/src/graph/networks/iresnet.ts';
import { Trainer } from '../packages/magface/src/train/loop/trainer.ts';
import { median } from './support/median.ts';
import { writeResult } from './support/result.ts';

const [batchSize = 8, rounds = 5] = process.argv.slice(2).map(Number);
threads(1);
cacheMemory(2 ** 33);

/** CPU time in milliseconds. */
function time(body: () => void, repeats: number): number {
  const before = process.cpuUsage();
  for (let i = 0; i < repeats; i++) body();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / repeats;
}

/** Medians of both, and the median of the ratios. */
function compare(single: () => void, fused: () => void, repeats: number): Readonly<Record<string, number>> {
  single();
  fused();
  const rows = Array.from({ length: rounds }, () => ({ single: time(single, repeats), fused: time(fused, repeats) }));
  const rounded = (values: readonly number[]): number => Number(median(values).toFixed(2));
  return {
    singleMilliseconds: rounded(rows.map((row) => row.single)),
    fusedMilliseconds: rounded(rows.map((row) => row.fused)),
    ratio: rounded(rows.map((row) => row.single / row.fused)),
  };
}

interface Place {
  readonly dtype: 'float32' | 'bfloat16';
  readonly channels: number;
  readonly side: number;
  readonly follows: 'prelu' | 'add';
}

function operators({ dtype, channels, side, follows }: Place): object {
  const learned = [ones([channels]), zeros([channels]), ones([channels]).mul(0.25).detach()] as const;
  const [weight, bias, slope] = learned;
  for (const one of learned) one.requiresGrad = true;
  const [runningMean, runningVariance] = [zeros([channels]), ones([channels])];
  const source = zeros([batchSize, side, side, channels]).uniform_({}).permute([0, 3, 1, 2]).to({ dtype });
  const parts = { weight, bias, runningMean, runningVariance, training: true, momentum: 0.9, epsilon: 2e-5 };
  const leaf = (): Tensor => {
    const made = source.detach();
    made.requiresGrad = true;
    return made;
  };
  const run = (forward: (x: Tensor, residual: Tensor) => Tensor) => (): void => {
    using _ = scope();
    forward(leaf(), leaf()).backward(source);
    for (const one of learned) one.grad = undefined;
  };
  const norm = (x: Tensor): Tensor => x.batchNorm(weight, bias, runningMean, runningVariance, true, 0.9, 2e-5, true);
  const single = run((x, residual) =>
    follows === 'prelu' ? norm(x).prelu(slope.to({ dtype })) : norm(x).add(residual),
  );
  const fused = run((x, residual) =>
    fusedBatchNorm(x, follows === 'prelu' ? { ...parts, slope } : { ...parts, residual }),
  );
  return { dtype, shape: [batchSize, channels, side, side], follows, ...compare(single, fused, 3) };
}

function trainingStep(precision: 'fp32' | 'bf16'): object {
  const trainer = new Trainer({ architecture: iresnet('iresnet18'), classes: 427, loss: {}, precision });
  const faces = Uint8Array.from({ length: batchSize * 112 * 112 * 3 }, (_, i) => (i * 7919) % 256);
  const labels = BigInt64Array.from({ length: batchSize }, (_, i) => BigInt(i));
  const step = (isFused: boolean) => (): void => {
    trainer.network.isFused = isFused;
    trainer.step({ faces, labels, indices: new Uint32Array(batchSize) }, 0.001);
  };
  return { arch: 'iresnet18', precision, batchSize, ...compare(step(false), step(true), 1) };
}

const places = (['float32', 'bfloat16'] as const).flatMap((dtype) =>
  [
    [64, 56],
    [256, 14],
  ].flatMap(([channels, side]) =>
    (['prelu', 'add'] as const).map((follows) => ({ dtype, channels: channels!, side: side!, follows })),
  ),
);
writeResult('fused-steps', {
  libtorch: torchVersion(),
  threads: 1,
  note: 'Processor time of one thread, forward and backward; the machine was shared with other work.',
  operators: places.map(operators),
  trainingStep: (['fp32', 'bf16'] as const).map(trainingStep),
});
