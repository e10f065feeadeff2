/**
 * Training and inference beside the same layers in plain PyTorch, float32: `npx tsx -C magface:source
 * bench/training-speed.ts [PYTHON] [BATCH] [ROUNDS]`. All take turns in every round. One thread each, and what counts is
 * the processor time of a process, so that other work on the machine moves the figures little; only the ratios of one run
 * mean something. PyTorch is measured as it comes, and with glibc told to keep freed memory, which is what our allocator
 * does for ours: only that ratio speaks of kernels. Needs Python with PyTorch (Debian: python3-torch).
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { cacheMemory, threads, torchVersion } from '@magface/torch';
import { iresnet } from '../packages/magface/src/train/iresnet.ts';
import { Trainer } from '../packages/magface/src/train/trainer.ts';
import { median } from './support/median.ts';
import { writeResult } from './support/result.ts';

const [python = '/usr/bin/python3', batch = '16', rounds = '3'] = process.argv.slice(2);
const script = fileURLToPath(new URL('support/iresnet_torch.py', import.meta.url));
const batchSize = Number(batch);
const steps = 2;
const kept = { MALLOC_MMAP_MAX_: '0', MALLOC_TRIM_THRESHOLD_: '16000000000', MALLOC_TOP_PAD_: '67108864' };

type Mode = 'train' | 'infer';

const inPython = (mode: Mode, environment: Readonly<Record<string, string>>): number =>
  Number(
    execFileSync(python, [script, mode, batch, String(steps), '1'], {
      encoding: 'utf8',
      env: { ...process.env, ...environment },
    }),
  );

const faces = Uint8Array.from({ length: batchSize * 112 * 112 * 3 }, (_, i) => (i * 7919) % 256);
const labels = BigInt64Array.from({ length: batchSize }, (_, i) => BigInt(i));
const images = { faces, labels, indices: new Uint32Array(batchSize) };

threads(1);
const trainers = new Map(
  (['fp32', 'bf16'] as const).map((precision) => [
    precision,
    new Trainer({ architecture: iresnet('iresnet18'), classes: 427, loss: {}, precision }),
  ]),
);

/** Images a second of processor time. */
function ours(mode: Mode, precision: 'fp32' | 'bf16', isFused: boolean): number {
  const trainer = trainers.get(precision)!;
  trainer.network.isFused = isFused;
  const run = mode === 'train' ? () => trainer.step(images, 0.001) : () => trainer.embed(faces);
  cacheMemory(2 ** 33);
  run();
  const before = process.cpuUsage();
  for (let i = 0; i < steps; i++) run();
  const { user, system } = process.cpuUsage(before);
  cacheMemory(0);
  return (1e6 * batchSize * steps) / (user + system);
}

const figures = Object.fromEntries(
  (['train', 'infer'] as const).map((mode) => {
    const rows = Array.from({ length: Number(rounds) }, () => ({
      pytorch: inPython(mode, {}),
      pytorchKeepingMemory: inPython(mode, kept),
      fp32: ours(mode, 'fp32', false),
      fp32Fused: ours(mode, 'fp32', true),
      bf16: ours(mode, 'bf16', false),
      bf16Fused: ours(mode, 'bf16', true),
    }));
    type Name = keyof (typeof rows)[number];
    const ratio = (a: Name, b: Name): number => Number(median(rows.map((row) => row[a] / row[b])).toFixed(3));
    const names = ['fp32', 'fp32Fused', 'bf16', 'bf16Fused'] as const;
    const over = (b: Name): Record<string, number> => Object.fromEntries(names.map((a) => [a, ratio(a, b)]));
    return [
      mode,
      {
        imagesPerProcessorSecond: rows,
        overPytorch: over('pytorch'),
        overPytorchKeepingMemory: over('pytorchKeepingMemory'),
        fusedOverSingle: { fp32: ratio('fp32Fused', 'fp32'), bf16: ratio('bf16Fused', 'bf16') },
      },
    ];
  }),
);
writeResult('training-speed', {
  arch: 'iresnet18',
  batchSize,
  threads: 1,
  libtorch: torchVersion(),
  note: 'Processor time, one thread; the machine was shared with other work.',
  ...figures,
});
