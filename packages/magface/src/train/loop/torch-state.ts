/** The state of libtorch for `magface doctor`, which does not need it: loads the addon only if it is compiled. */
import { readFileSync } from 'node:fs';
import {
  builtAddon,
  cacheMemory,
  cudaDevices,
  type MemoryStatistics,
  memoryStatistics,
  scope,
  threads,
  zeros,
} from '@magface/torch';

/** The libraries and devices available for training. */
export interface TorchState {
  /** For example `over libtorch 1.13.0, the system's (/usr)`; null if the addon is not compiled. */
  readonly addon: string | null;
  /** `cpu` and each GPU. */
  readonly devices: readonly string[];
  /** Whether libtorch multiplies matrices with the reference BLAS, some 20 times slower than OpenBLAS. */
  readonly slowBlas: boolean;
}

/** @throws {LibtorchError} if the addon exists but cannot be loaded */
export function torchState(): TorchState {
  const built = builtAddon();
  if (built === undefined) return { addon: null, devices: ['cpu'], slowBlas: false };
  const gpus = Array.from({ length: cudaDevices() }, (_, i) => `cuda:${i}`);
  const addon = `over libtorch ${built.libtorch}, ${built.from}`;
  return { addon, devices: ['cpu', ...gpus], slowBlas: isReferenceBlas(mappedFiles()) };
}

/** Debian and its derivatives keep the reference BLAS in `blas/`, others in `openblas-pthread/`, `atlas/` and so on. */
export function isReferenceBlas(maps: string): boolean {
  return /\/blas\/libblas\.so/.test(maps);
}

/** The files mapped into this process; empty if the system does not provide them. */
function mappedFiles(): string {
  try {
    return readFileSync('/proc/self/maps', 'utf8');
  } catch {
    return '';
  }
}

/** The caching allocator's benefit on this machine: allocating and freeing a tensor of 64 MiB with and without it. */
export interface MemoryTrial extends MemoryStatistics {
  /** Milliseconds for a tensor in memory from the system. */
  readonly fromSystem: number;
  /** Milliseconds for a tensor in cached memory. */
  readonly fromCache: number;
}

const trialBytes = 64 * 2 ** 20;
const rounds = 9;

export function tryMemory(): MemoryTrial {
  threads(1);
  cacheMemory(0);
  const fromSystem = medianTime();
  cacheMemory(4 * trialBytes);
  const fromCache = medianTime();
  const statistics = memoryStatistics();
  cacheMemory(0);
  return { fromSystem, fromCache, ...statistics };
}

function medianTime(): number {
  const times = Array.from({ length: rounds }, () => {
    const start = performance.now();
    using _ = scope();
    zeros([trialBytes / 4]);
    return performance.now() - start;
  });
  return times.sort((a, b) => a - b)[rounds >> 1]!;
}
