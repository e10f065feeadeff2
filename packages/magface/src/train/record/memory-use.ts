/** A run's memory use between two rows of metrics, from libtorch's caching allocator. */
import { type MemoryStatistics, memoryStatistics } from '@magface/torch';

/** The memory fields of a row; all 0 with `--cache-memory 0`. */
export interface MemoryFigures {
  /** Peak memory of tensors since the previous row, MiB. */
  readonly memoryPeak: number;
  /** Freed memory cached for the next step, MiB. */
  readonly memoryKept: number;
  /** Share of blocks since the previous row that came from the cache: 1 if none came from the system. */
  readonly memoryReused: number;
}

const mebibytes = (bytes: number): number => Math.round(bytes / 2 ** 20);

/** Reports the memory used since the last query. */
export class MemoryUse {
  #before: MemoryStatistics = memoryStatistics({ resetPeak: true });

  take(): MemoryFigures {
    const now = memoryStatistics({ resetPeak: true });
    const hits = now.hits - this.#before.hits;
    const blocks = hits + now.misses - this.#before.misses;
    this.#before = now;
    return {
      memoryPeak: mebibytes(now.peak),
      memoryKept: mebibytes(now.cached),
      memoryReused: blocks === 0 ? 0 : Number((hits / blocks).toFixed(4)),
    };
  }
}
