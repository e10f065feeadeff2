/** How a run uses memory between two rows of metrics, as libtorch's caching allocator tells. */
import { type MemoryStatistics, memoryStatistics } from '@magface/torch';

/** The part of a row that is about memory; all 0 with `--cache-memory 0`. */
export interface MemoryFigures {
  /** The most that tensors held at once since the row before, MiB. */
  readonly memoryPeak: number;
  /** Freed and kept for the next step, MiB. */
  readonly memoryKept: number;
  /** Share of blocks since the row before that were kept ones: 1 when the system was asked for none. */
  readonly memoryReused: number;
}

const mebibytes = (bytes: number): number => Math.round(bytes / 2 ** 20);

/** Tells what was used since it was last asked. */
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
