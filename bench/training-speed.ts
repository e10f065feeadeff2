/**
 * Training and inference of iResNet-18 beside the same layers in plain PyTorch, float32: `npx tsx -C magface:source
 * bench/training-speed.ts [PYTHON] [THREADS]`. The two take turns, since other work on the machine moves both; only the
 * ratios of one run mean something. Needs Python with PyTorch (Debian: python3-torch).
 */
import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { cacheMemory, threads, torchVersion } from '@magface/torch';
import { iresnet } from '../packages/magface/src/train/iresnet.ts';
import { Trainer } from '../packages/magface/src/train/trainer.ts';
import { writeResult } from './support/result.ts';

const [python = '/usr/bin/python3', cores = String(availableParallelism())] = process.argv.slice(2);
const script = fileURLToPath(new URL('support/iresnet_torch.py', import.meta.url));
const batchSize = 16;
const steps = 3;
const rounds = 3;

const inPython = (mode: 'train' | 'infer'): number =>
  Number(execFileSync(python, [script, mode, String(batchSize), String(steps), cores], { encoding: 'utf8' }));

const faces = Uint8Array.from({ length: batchSize * 112 * 112 * 3 }, (_, i) => (i * 7919) % 256);
const labels = BigInt64Array.from({ length: batchSize }, (_, i) => BigInt(i));
const batch = { faces, labels, indices: new Uint32Array(batchSize) };

threads(Number(cores));
const trainers = new Map(
  (['fp32', 'bf16'] as const).map((precision) => [
    precision,
    new Trainer({ architecture: iresnet('iresnet18'), classes: 427, loss: {}, precision }),
  ]),
);

function ours(mode: 'train' | 'infer', precision: 'fp32' | 'bf16'): number {
  const trainer = trainers.get(precision)!;
  const run = mode === 'train' ? () => trainer.step(batch, 0.01) : () => trainer.embed(faces);
  cacheMemory(2 ** 32);
  run();
  const start = performance.now();
  for (let i = 0; i < steps; i++) run();
  const rate = (1000 * batchSize * steps) / (performance.now() - start);
  cacheMemory(0);
  return rate;
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;

const figures = Object.fromEntries(
  (['train', 'infer'] as const).map((mode) => {
    const rows = Array.from({ length: rounds }, () => {
      const pytorch = inPython(mode);
      return { pytorch, fp32: ours(mode, 'fp32'), bf16: ours(mode, 'bf16') };
    });
    const ratio = (key: 'fp32' | 'bf16'): number => median(rows.map((row) => row[key] / row.pytorch));
    return [mode, { imagesPerSecond: rows, ratioToPytorchFp32: { fp32: ratio('fp32'), bf16: ratio('bf16') } }];
  }),
);
writeResult('training-speed', {
  arch: 'iresnet18',
  batchSize,
  threads: Number(cores),
  libtorch: torchVersion(),
  ...figures,
});
