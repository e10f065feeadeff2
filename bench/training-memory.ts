/**
 * Measures resident memory over 300 training steps of iResNet-18: `npx tsx -C magface:source bench/training-memory.ts
 * [BATCH]`. It may grow by at most 5 % after step 20.
 */
import { aliveTensors, cacheMemory, threads } from '@magface/torch';
import { iresnet } from '../packages/magface/src/graph/networks/iresnet.ts';
import { Trainer } from '../packages/magface/src/train/loop/trainer.ts';
import { writeResult } from './support/result.ts';

const batchSize = Number(process.argv[2] ?? 4);
const steps = 300;
threads(2);
cacheMemory(2 ** 32);
const trainer = new Trainer({ architecture: iresnet('iresnet18'), classes: 427, loss: {}, precision: 'bf16' });
const faces = Uint8Array.from({ length: batchSize * 112 * 112 * 3 }, (_, i) => (i * 7919) % 256);
const labels = BigInt64Array.from({ length: batchSize }, (_, i) => BigInt(i));

const mebibytes = new Map<number, number>();
const tensors = new Map<number, number>();
for (let step = 1; step <= steps; step++) {
  trainer.step({ faces, labels, indices: new Uint32Array(batchSize) }, 0.001);
  if (step !== 20 && step % 100 !== 0) continue;
  mebibytes.set(step, Math.round(process.memoryUsage.rss() / 2 ** 20));
  tensors.set(step, aliveTensors());
}
const growth = mebibytes.get(steps)! / mebibytes.get(20)! - 1;
writeResult('training-memory', {
  arch: 'iresnet18',
  batchSize,
  residentMebibytes: Object.fromEntries(mebibytes),
  aliveTensors: Object.fromEntries(tensors),
  growthFrom20To300: Number(growth.toFixed(4)),
  within5Percent: growth < 0.05,
});
