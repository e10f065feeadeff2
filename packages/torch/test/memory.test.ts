import { cacheMemory, memoryStatistics, scope, threads, trimMemory, zeros } from '@magface/torch';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { describeWithTorch } from './support/with-torch.ts';

const mebibyte = 2 ** 20;

/** Makes tensors of so many mebibytes side by side and frees them. */
function use(...sizes: readonly number[]): void {
  using _ = scope();
  for (const size of sizes) zeros([(size * mebibyte) / 4]);
}

describeWithTorch('the caching allocator', () => {
  beforeEach(() => {
    threads(1);
    cacheMemory(64 * mebibyte);
    memoryStatistics({ resetPeak: true });
  });
  afterEach(() => cacheMemory(0));

  test('reuses freed blocks and counts them', () => {
    const before = memoryStatistics();
    use(4, 4);
    const first = memoryStatistics();
    expect(first.misses - before.misses).toBe(2);
    expect(first.cached).toBe(8 * mebibyte);
    expect(first.inUse).toBe(before.inUse);
    expect(first.peak - before.inUse).toBe(8 * mebibyte);
    use(4, 4, 4);
    const second = memoryStatistics();
    expect([second.hits - first.hits, second.misses - first.misses]).toEqual([2, 1]);
    expect(second.cached).toBe(12 * mebibyte);
    expect(second.limit).toBe(64 * mebibyte);
  });

  test('counts what is in use, and restarts the peak on request', () => {
    using _ = scope();
    const before = memoryStatistics().inUse;
    zeros([(2 * mebibyte) / 4]);
    use(8);
    expect(memoryStatistics({ resetPeak: true })).toMatchObject({
      inUse: before + 2 * mebibyte,
      peak: before + 10 * mebibyte,
    });
    expect(memoryStatistics().peak).toBe(before + 2 * mebibyte);
  });

  test('keeps no more than the limit, and trims to a size without changing the limit', () => {
    use(16, 16, 16, 16, 16, 16);
    expect(memoryStatistics().cached).toBe(64 * mebibyte);
    trimMemory(20 * mebibyte);
    expect(memoryStatistics()).toMatchObject({ cached: 16 * mebibyte, limit: 64 * mebibyte });
    trimMemory();
    expect(memoryStatistics().cached).toBe(0);
    use(16);
    expect(memoryStatistics().cached).toBe(16 * mebibyte);
  });

  test('keeps nothing with a limit of 0', () => {
    use(8);
    cacheMemory(0);
    expect(memoryStatistics()).toMatchObject({ cached: 0, limit: 0 });
    use(8);
    expect(memoryStatistics().cached).toBe(0);
  });

  test('rounds blocks up by at most an eighth, and leaves small ones to the system', () => {
    use(1.01);
    const { cached, hits, misses } = memoryStatistics();
    expect(cached / mebibyte).toBe(1.125);
    use(0.01);
    expect(memoryStatistics()).toMatchObject({ hits, misses });
  });
});
