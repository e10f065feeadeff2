/**
 * Compares the resident memory of training in bfloat16 with the same layers in plain PyTorch, float32:
 *
 *     npx tsx -C magface:source bench/training-resident.ts [--arch A] [--batch N] [--threads N] [--steps N]
 *
 * Each runs in its own process; reports current and peak memory after a few steps. PyTorch runs with default settings, and
 * with glibc set to keep freed memory. Our figures include Node, the addon and libtorch.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { cacheMemory, threads as setThreads, torchVersion } from '@magface/torch';
import { architecture as architectureOf } from '../packages/magface/src/graph/networks/architectures.ts';
import { Trainer } from '../packages/magface/src/train/loop/trainer.ts';
import { peerFlags } from './support/peer-flags.ts';
import { writeResult } from './support/result.ts';
import { keepingMemory, TorchPeer } from './support/torch-peer.ts';

const flags = peerFlags({ batch: 32, threads: 2, steps: 4 }, ['only']);
const { arch, python, batch: batchSize, threads, steps } = flags;

/** Mebibytes. */
interface Resident {
  readonly now: number;
  readonly most: number;
}

async function theirs(environment: Readonly<Record<string, string>>): Promise<Resident> {
  using peer = new TorchPeer('iresnet_torch.py', [arch, batchSize, threads], { python, environment });
  const [, now = 0, most = 0] = await peer.ask(`train ${steps}`);
  return { now: Math.round(now), most: Math.round(most) };
}

function train(precision: 'fp32' | 'bf16'): Resident {
  setThreads(threads);
  cacheMemory(2 ** 34);
  const trainer = new Trainer({ architecture: architectureOf(arch), classes: 427, loss: {}, precision });
  const faces = Uint8Array.from({ length: batchSize * 112 * 112 * 3 }, (_, i) => (i * 7919) % 256);
  const labels = BigInt64Array.from({ length: batchSize }, (_, i) => BigInt(i));
  for (let step = 0; step < steps; step++) {
    trainer.step({ faces, labels, indices: new Uint32Array(batchSize) }, 0.001);
  }
  const mebibytes = (bytes: number): number => Math.round(bytes / 2 ** 20);
  return { now: mebibytes(process.memoryUsage.rss()), most: mebibytes(1024 * process.resourceUsage().maxRSS) };
}

function ours(precision: 'fp32' | 'bf16'): Resident {
  const words = [...process.execArgv, fileURLToPath(import.meta.url), ...process.argv.slice(2), '--only', precision];
  return JSON.parse(execFileSync(process.execPath, words, { encoding: 'utf8' })) as Resident;
}

if (flags.only === 'fp32' || flags.only === 'bf16') process.stdout.write(JSON.stringify(train(flags.only)));
else {
  const resident = {
    pytorch: await theirs({}),
    pytorchKeepingMemory: await theirs(keepingMemory),
    fp32: ours('fp32'),
    bf16: ours('bf16'),
  };
  const share = (of: Resident): number => Number((resident.bf16.most / of.most).toFixed(3));
  writeResult(`training-resident-${arch}-batch${batchSize}`, {
    arch,
    batchSize,
    threads,
    steps,
    libtorch: torchVersion(),
    mebibytes: resident,
    bf16OfPytorch: share(resident.pytorch),
    bf16OfPytorchKeepingMemory: share(resident.pytorchKeepingMemory),
  });
}
