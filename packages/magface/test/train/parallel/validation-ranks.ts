/** A validation on one rank, which takes longer than the ranks wait for each other. Words: the list, its images' folder. */
import { ProcessGroup, Store } from '@magface/torch';
import { agreeOnStatistics, readValidationSet, type Validated, validate } from '../../../src/train/loop/validate.ts';
import { Ranks } from '../../../src/train/parallel/ranks.ts';
import { tinyTrainer } from './tiny.ts';

const dimension = 4;

/** A model whose features are a function of the face alone, in its own time. */
export function slowModel(milliseconds: number, ranks: Ranks = new Ranks()): Validated {
  const embed = (faces: Uint8Array): Float32Array => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
    const length = 112 * 112 * 3;
    return Float32Array.from({ length: (faces.length / length) * dimension }, (_, at) => {
      const start = Math.floor(at / dimension) * length + (at % dimension);
      return faces[start]! + faces[start + 5000]! - 250;
    });
  };
  return { ranks, statistics: [], embeddingLength: dimension, embed };
}

/** Milliseconds for a batch on the first rank and on others: over the 9 batches more than {@link timeout}, in one far less. */
const [quick, slow] = [20, 500] as const;
const timeout = 3000;

if (process.env['RANK'] !== undefined) {
  const [rank = 0, size = 1, port = 0] = ['RANK', 'WORLD_SIZE', 'MASTER_PORT'].map((name) => Number(process.env[name]));
  const place = { rank, size, address: '127.0.0.1' };
  new ProcessGroup(new Store({ port }), { ...place, timeout: 60_000, name: 'start' }).barrier();
  const group = new ProcessGroup(new Store({ port }), { ...place, timeout });
  const [list = '', root] = process.argv.slice(2);
  const set = await readValidationSet(list, { root, part: group });
  group.barrier();
  const row = await validate(slowModel(rank === 0 ? quick : slow, new Ranks(group)), set, 1, 2);

  const trainer = tinyTrainer({ ranks: new Ranks(group, { syncBatchNorm: false }), ema: 0.9 });
  const mean = trainer.network.tensors.get('bn1.running_mean')!;
  mean.fill_(rank + 5);
  for (const moving of trainer.meanStatistics) moving.fill_(rank + 7);
  agreeOnStatistics(trainer);
  const moving = trainer.meanStatistics.map((tensor) => tensor.toArray()[0]);
  process.stdout.write(JSON.stringify({ row, mean: mean.toArray()[0], moving }), () => process.exit(0));
}
