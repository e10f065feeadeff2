/** What `magface doctor` says of libtorch, without needing it: the addon is loaded only where it is compiled. */
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

/** What training would run on. */
export interface TorchState {
  /** Such as `over libtorch 1.13.0, the system's (/usr)`; null where the addon is not compiled. */
  readonly addon: string | null;
  /** `cpu`, and each GPU. */
  readonly devices: readonly string[];
  /** Whether libtorch multiplies matrices by the reference BLAS, some 20 times slower than OpenBLAS. */
  readonly slowBlas: boolean;
}

/** @throws {LibtorchError} when the addon is there but cannot be loaded */
export function torchState(): TorchState {
  const built = builtAddon();
  if (built === undefined) return { addon: null, devices: ['cpu'], slowBlas: false };
  const gpus = Array.from({ length: cudaDevices() }, (_, i) => `cuda:${i}`);
  const addon = `over libtorch ${built.libtorch}, ${built.from}`;
  return { addon, devices: ['cpu', ...gpus], slowBlas: isReferenceBlas(mappedFiles()) };
}

/** Debian and its kin keep the reference BLAS in `blas/`, where others have `openblas-pthread/`, `atlas/` and so on. */
export function isReferenceBlas(maps: string): boolean {
  return /\/blas\/libblas\.so/.test(maps);
}

/** The files that are loaded into this process; empty where the system does not say. */
function mappedFiles(): string {
  try {
    return readFileSync('/proc/self/maps', 'utf8');
  } catch {
    return '';
  }
}

/** What the caching allocator is worth on this machine: a tensor of 64 MiB made and freed, with it and without. */
export interface MemoryTrial extends MemoryStatistics {
  /** Milliseconds for a tensor whose memory comes from the system. */
  readonly fromSystem: number;
  /** Milliseconds for one whose memory was kept. */
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
