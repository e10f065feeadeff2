/**
 * Compares a training step with the same layers in PyTorch, and reports the share of the processor's peak
 * matrix product rate:
 *
 *     npx tsx -C magface:source bench/training-speed.ts [--arch A] [--batch N] [--threads N] [--rounds N] [--python P]
 *
 * All candidates alternate in every round; only ratios within one run are meaningful. PyTorch runs in float32 with default settings,
 * with glibc set to keep freed memory, as our allocator does, and at its fastest: also with autocast to bfloat16 and channels_last. It
 * measures wall time,
 * so nothing else should run. Needs Python with PyTorch (Debian: python3-torch). On a processor without bfloat16 the result
 * is named after the kernels, and the peak is that of float32.
 */
import { cacheMemory, processor, threads as setThreads, torchVersion } from '@magface/torch';
import { architecture as architectureOf } from '../packages/magface/src/graph/networks/architectures.ts';
import { networkCost } from '../packages/magface/src/graph/networks/network-cost.ts';
import { Trainer } from '../packages/magface/src/train/loop/trainer.ts';
import { forProcessor } from './support/for-processor.ts';
import { gemmPeak } from './support/gemm-peak.ts';
import { spread } from './support/median.ts';
import { peerFlags } from './support/peer-flags.ts';
import { writeResult } from './support/result.ts';
import { keepingMemory, TorchPeer } from './support/torch-peer.ts';

const {
  arch,
  python,
  batch: batchSize,
  threads,
  rounds,
  steps,
} = peerFlags({ batch: 16, threads: 2, rounds: 3, steps: 4 });
const architecture = architectureOf(arch);
const { bfloat16 } = processor();
setThreads(threads);

const peers = {
  pytorch: new TorchPeer('iresnet_torch.py', [arch, batchSize, threads], { python }),
  pytorchKeepingMemory: new TorchPeer('iresnet_torch.py', [arch, batchSize, threads], {
    python,
    environment: keepingMemory,
  }),
  pytorchFastest: new TorchPeer('iresnet_torch.py', [arch, batchSize, threads, 'bf16'], {
    python,
    environment: keepingMemory,
  }),
};
const trainers = Object.fromEntries(
  (['fp32', 'bf16'] as const).map((precision) => [
    precision,
    new Trainer({ architecture, classes: 427, loss: {}, precision }),
  ]),
);

const faces = Uint8Array.from({ length: batchSize * 112 * 112 * 3 }, (_, i) => (i * 7919) % 256);
const labels = BigInt64Array.from({ length: batchSize }, (_, i) => BigInt(i));
const images = { faces, labels, indices: new Uint32Array(batchSize) };

/** Duration of some steps in seconds. The memory stays until the candidate's turn ends, as the peers keep theirs. */
function ours(precision: string, count: number): number {
  cacheMemory(2 ** 34);
  const started = performance.now();
  for (let i = 0; i < count; i++) trainers[precision]!.step(images, 0.001);
  return (performance.now() - started) / 1000;
}

const runs: Readonly<Record<string, (count: number) => Promise<number> | number>> = {
  pytorch: async (count) => (await peers.pytorch.ask(`train ${count}`))[0]!,
  pytorchKeepingMemory: async (count) => (await peers.pytorchKeepingMemory.ask(`train ${count}`))[0]!,
  pytorchFastest: async (count) => (await peers.pytorchFastest.ask(`train ${count}`))[0]!,
  fp32: (count) => ours('fp32', count),
  bf16: (count) => ours('bf16', count),
};

type Row = Readonly<Record<string, number>>;
const rows: Row[] = [];
for (const run of Object.values(runs)) await run(3); // until the allocator's cache is warm
for (let round = 0; round < rounds; round++) {
  const row: Record<string, number> = {};
  for (const [name, run] of Object.entries(runs)) {
    await run(3); // refill the caches after the other candidates; after one step, pages are still missing
    row[name] = (batchSize * steps) / (await run(steps));
    cacheMemory(0);
  }
  row['gemmGigaflops'] = gemmPeak(bfloat16 ? 'bfloat16' : 'float32') / 1e9;
  rows.push(row);
}
for (const peer of Object.values(peers)) peer[Symbol.dispose]();

const ratio = (of: (row: Row) => number) => spread(rows.map(of));
const operations = 3 * networkCost(architecture).operations; // backward costs twice as much as forward
const shareOfPeak = (name: string) => ratio((row) => (row[name]! * operations) / 1e9 / row['gemmGigaflops']!);
writeResult(`${forProcessor('training-speed')}-${arch}-batch${batchSize}-threads${threads}`, {
  arch,
  batchSize,
  threads,
  libtorch: torchVersion(),
  imagesPerSecond: rows,
  bf16: {
    overPytorch: ratio((row) => row['bf16']! / row['pytorch']!),
    overPytorchKeepingMemory: ratio((row) => row['bf16']! / row['pytorchKeepingMemory']!),
    overPytorchFastest: ratio((row) => row['bf16']! / row['pytorchFastest']!),
    ...(bfloat16 && { shareOfGemmPeak: shareOfPeak('bf16') }),
  },
  fp32: {
    overPytorch: ratio((row) => row['fp32']! / row['pytorch']!),
    overPytorchKeepingMemory: ratio((row) => row['fp32']! / row['pytorchKeepingMemory']!),
    ...(!bfloat16 && { shareOfGemmPeak: shareOfPeak('fp32') }),
  },
});
