/**
 * Memory of CPU tensors between their uses. A training step asks for the same sizes as the one before it, and where page
 * faults are dear, blocks that never went back to the system are worth more than any kernel.
 */
import type { MemoryStatistics } from './binding.ts';
import { guarded } from './dispatch.ts';
import { native } from './load.ts';

/**
 * Keeps freed blocks for later tensors, up to a limit. Without a call, or with 0 at first, libtorch's own allocator serves.
 *
 * @param bytes - the most that is kept; 0 keeps none and gives back what is
 */
export function cacheMemory(bytes: number): void {
  guarded(() => native().cacheMemory(bytes));
}

/** Gives kept blocks back to the system, the largest first; the limit stays. @param bytes - that may stay @default 0 */
export function trimMemory(bytes = 0): void {
  guarded(() => native().trimMemory(bytes));
}

/** How memory was used since the process began; all 0 while {@link cacheMemory} was never asked for. */
export function memoryStatistics(options: { readonly resetPeak?: boolean } = {}): MemoryStatistics {
  return guarded(() => native().memoryStatistics(options.resetPeak ?? false));
}
