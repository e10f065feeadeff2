/**
 * Measures a step of only the class centers, with 100,000 classes on 2 ranks: all of them, and a tenth (Partial FC). Each case
 * runs in separate processes, because it reports their peak memory.
 *
 *     npx tsx --conditions=magface:source bench/partial-fc.ts
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Generator, noGrad, ProcessGroup, Store, scope, threads, zeros } from '@magface/torch';
import { shareOf } from '../packages/magface/src/train/parallel/shares.ts';
import { SplitHead } from '../packages/magface/src/train/parallel/split-head.ts';
import { writeResult } from './support/result.ts';

const [ranks, dimension, classes, batch, rounds] = [2, 512, 100_000, 512, 3] as const;

interface Measured {
  readonly secondsAStep: number;
  /** Resident memory before and after the head is created, and at its peak. */
  readonly baseMiB: number;
  readonly headMiB: number;
  readonly peakMiB: number;
}

const status = (name: string): number =>
  Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(readFileSync('/proc/self/status', 'utf8'))![1]) / 1024;

function step(head: SplitHead, group: ProcessGroup, index: number): void {
  using _ = scope();
  const { count } = shareOf(batch, group);
  const features = zeros([count, dimension]).normal_({ std: 1, generator: new Generator(index * ranks + group.rank) });
  features.requiresGrad = true;
  const labels = zeros([batch]).uniform_({ from: 0, to: classes, generator: new Generator(index) });
  head.backward(features, labels.to({ dtype: 'int64' }), 1, index);
  using _noGrad = noGrad();
  head.step({ lr: 0.1, momentum: 0.9, weightDecay: 5e-4 });
}

function measure(sampleRate: number): Measured {
  threads(1);
  const [rank, port] = [Number(process.env['RANK']), Number(process.env['MASTER_PORT'])];
  const group = new ProcessGroup(new Store({ port }), { rank, size: ranks, address: '127.0.0.1' });
  const baseMiB = status('VmRSS');
  const head = new SplitHead(group, dimension, classes, { loss: {}, seed: 1, sampleRate });
  const headMiB = status('VmRSS');
  step(head, group, 0);
  const times = Array.from({ length: rounds }, (_, i) => {
    group.barrier();
    const start = performance.now();
    step(head, group, i + 1);
    group.barrier();
    return (performance.now() - start) / 1000;
  });
  return { secondsAStep: Math.min(...times), baseMiB, headMiB, peakMiB: status('VmHWM') };
}

async function runCase(sampleRate: number): Promise<Measured> {
  const store = new Store({ isServer: true });
  const words = ['--import', import.meta.resolve('tsx'), '-C', 'magface:source', fileURLToPath(import.meta.url)];
  const results = Array.from({ length: ranks }, async (_, rank) => {
    const env = { ...process.env, RANK: `${rank}`, MASTER_PORT: `${store.port}` };
    return JSON.parse((await promisify(execFile)(process.execPath, [...words, `${sampleRate}`], { env })).stdout);
  });
  return (await Promise.all(results))[0] as Measured;
}

if (process.env['RANK'] === undefined) {
  const [full, sampled] = [await runCase(1), await runCase(0.1)];
  const used = ({ peakMiB, baseMiB }: Measured): number => peakMiB - baseMiB;
  writeResult('partial-fc', {
    settings: { ranks, dimension, classes, batch, threadsARank: 1 },
    full,
    sampled,
    timeRatio: sampled.secondsAStep / full.secondsAStep,
    memoryRatio: used(sampled) / used(full),
  });
} else {
  process.stdout.write(JSON.stringify(measure(Number(process.argv[2]))), () => process.exit(0));
}
