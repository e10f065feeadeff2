/** NCCL, where libtorch has it and this machine a GPU; elsewhere only that its absence is said. */
import { cudaDevices, isBuilt, ProcessGroup, Store, zeros } from '@magface/torch';
import { describe, expect, test } from 'vitest';
import { describeWithTorch } from './support/with-torch.ts';

const place = { rank: 0, size: 1, backend: 'nccl', timeout: 20_000 } as const;
const hasGpu = isBuilt() && cudaDevices() > 0;

describeWithTorch('NCCL', () => {
  test.skipIf(hasGpu)('says that there is no GPU', () => {
    expect(() => new ProcessGroup(new Store({ isServer: true }), place)).toThrow(/nccl/i);
  });

  describe.skipIf(!hasGpu)(`on a GPU${hasGpu ? '' : ' [skipped: this machine has none]'}`, () => {
    test('sums and gathers', () => {
      const group = new ProcessGroup(new Store({ isServer: true }), place);
      const ones = zeros([3], { device: 'cuda:0' }).fill_(1);
      expect([...group.allReduce(ones).toArray()]).toEqual([1, 1, 1]);
      expect(group.allGather(ones).shape).toEqual([3]);
    });
  });
});
