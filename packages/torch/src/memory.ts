/**
 * Caches the memory of CPU tensors. Each training step allocates the same sizes as the last, and where page faults are
 * expensive, reusing blocks saves more time than any faster kernel.
 */
import type { MemoryStatistics } from './binding.ts';
import { guarded } from './dispatch.ts';
import { native } from './load.ts';

/**
 * Keeps freed blocks for later tensors, up to a limit. libtorch's own allocator stays in place until the first call with a
 * limit above 0.
 *
 * @param bytes - limit of the cache; 0 empties it
 */
export function cacheMemory(bytes: number): void {
  guarded(() => native().cacheMemory(bytes));
}

/** Returns cached blocks to the system, largest first, without changing the limit. @param bytes - to keep @default 0 */
export function trimMemory(bytes = 0): void {
  guarded(() => native().trimMemory(bytes));
}

/** Memory use since the process started; all 0 before {@link cacheMemory} turns the cache on. */
export function memoryStatistics(options: { readonly resetPeak?: boolean } = {}): MemoryStatistics {
  return guarded(() => native().memoryStatistics(options.resetPeak ?? false));
}
