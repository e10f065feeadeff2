/**
 * Distributed computing over libtorch's c10d: a store through which the processes find each other, and a group whose
 * collectives every rank calls in the same order. Waiting for a collective blocks the calling thread.
 */

import type { Device, WorkHandle } from './binding.ts';
import { guarded } from './dispatch.ts';
import { RankLostError, TorchError } from './errors.ts';
import { native } from './load.ts';
import { zeros } from './ops.gen.ts';
import { scope } from './scope.ts';
import type { Tensor } from './tensor.ts';

/** Address of the store through which the processes of a group find each other. */
export interface StoreOptions {
  /** Host name or address of the process that serves the store. @default '127.0.0.1' */
  readonly host?: string;
  /** 0 makes the server pick a free port. @default 0 */
  readonly port?: number;
  /** Whether this process serves the store. @default false */
  readonly isServer?: boolean;
  /** How long to wait for a value, in milliseconds. @default 600000 */
  readonly timeout?: number;
}

/** A table of strings that all processes share. It lives as long as the process that serves it. */
export class Store {
  /** @internal */
  readonly handle: number;
  readonly host: string;
  readonly port: number;

  constructor({ host = '127.0.0.1', port = 0, isServer = false, timeout = 600_000 }: StoreOptions = {}) {
    const made = guarded(() => native().store(host, port, isServer, timeout));
    this.handle = made.store;
    this.host = host;
    this.port = made.port;
  }

  set(key: string, value: string): void {
    guarded(() => native().storeSet(this.handle, key, value));
  }

  /** Blocks until some process has set the key. */
  get(key: string): string {
    return guarded(() => native().storeGet(this.handle, key));
  }

  /** Whether some process has set the key. */
  has(key: string): boolean {
    return guarded(() => native().storeHas(this.handle, key));
  }
}

/** A collective in progress. */
export interface Work {
  /** Whether it has finished. Does not block. */
  readonly isDone: boolean;
  /** Blocks until the tensors have their values. @throws {RankLostError} */
  wait(): void;
}

/** This process's rank in a group, and how the group communicates. */
export interface ProcessGroupOptions {
  /** Rank of this process, from 0. */
  readonly rank: number;
  /** R: number of ranks. */
  readonly size: number;
  /** `nccl` carries CUDA tensors, if libtorch has it; CPU tensors always use Gloo. @default 'gloo' */
  readonly backend?: 'gloo' | 'nccl';
  /** How long a collective waits for the slowest rank, in milliseconds. @default 600000 */
  readonly timeout?: number;
  /** Name of the group, unique within the store. @default 'group' */
  readonly name?: string;
  /** Address of this machine; GLOO_SOCKET_IFNAME selects a network interface instead. @default the host name's address */
  readonly address?: string;
}

/** How long the surviving ranks wait for each other's reports, in milliseconds. */
const longestRollCall = 3000;

/** A group of processes and its collectives. Results are identical, bit for bit, on every rank. */
export class ProcessGroup {
  readonly rank: number;
  readonly size: number;
  /** The Gloo group, and the NCCL group if there is one. */
  readonly #handles: { readonly cpu: number; readonly cuda?: number };
  readonly #store: Store;
  readonly #name: string;
  readonly #timeout: number;

  constructor(store: Store, options: ProcessGroupOptions) {
    const { rank, size, backend = 'gloo', timeout = 600_000, name = 'group', address = '' } = options;
    this.rank = rank;
    this.size = size;
    this.#store = store;
    this.#name = name;
    this.#timeout = timeout;
    store.set(`${name}/here/${rank}`, '');
    try {
      const make = (kind: string, prefix: string): number =>
        guarded(() => native().group(kind, store.handle, prefix, rank, size, timeout, address));
      const cpu = make('gloo', name);
      this.#handles = backend === 'nccl' ? { cpu, cuda: make('nccl', `${name}/nccl`) } : { cpu };
    } catch (error) {
      // If all ranks are here, the cause is NCCL, a GPU or a network interface, not a missing rank.
      throw this.#rollCall('here')?.length === 0 ? error : this.#lost('here', 'the start', error);
    }
  }

  /** @internal The native group that carries tensors of this device. */
  handleOf(device: Device): number {
    const { cpu, cuda } = this.#handles;
    if (device === 'cpu') return cpu;
    if (cuda !== undefined) return cuda;
    throw new TorchError(`Expected an NCCL group for a tensor on ${device}: create the group with backend: 'nccl'.`, {
      operator: 'collective',
    });
  }

  /** Starts the sum (or maximum) over all ranks, in place. */
  startAllReduce(tensor: Tensor, operation: 'sum' | 'max' = 'sum'): Work {
    return this.#work('all-reduce', tensor.device, (handle) => native().allReduce(handle, tensor.handle, operation));
  }

  /** @returns the same tensor, which now holds the sum (or maximum) over all ranks */
  allReduce(tensor: Tensor, operation: 'sum' | 'max' = 'sum'): Tensor {
    this.startAllReduce(tensor, operation).wait();
    return tensor;
  }

  /** @returns the same tensor, which now holds the values of rank `root` */
  broadcast(tensor: Tensor, root = 0): Tensor {
    this.#work('broadcast', tensor.device, (handle) => native().broadcast(handle, tensor.handle, root)).wait();
    return tensor;
  }

  /**
   * @param tensor - (n, …), the same shape on every rank
   * @returns (R · n, …): the tensors of all ranks, in rank order
   */
  allGather(tensor: Tensor): Tensor {
    using all = scope();
    const [rows = 1, ...rest] = tensor.shape;
    const whole = all.keep(zeros([this.size * rows, ...rest], { dtype: tensor.dtype, device: tensor.device }));
    const parts = Array.from({ length: this.size }, (_, i) => whole.narrow(0, i * rows, rows).handle);
    const own = tensor.contiguous();
    this.#work('all-gather', tensor.device, (handle) => native().allGather(handle, parts, own.handle)).wait();
    return whole;
  }

  /**
   * Sums over all ranks and returns this rank's rows. Gloo has no reduce-scatter, so this is an all-reduce, in place.
   *
   * @param tensor - (R · n, …)
   * @returns (n, …)
   */
  reduceScatter(tensor: Tensor): Tensor {
    const rows = tensor.size(0) / this.size;
    return this.allReduce(tensor).narrow(0, this.rank * rows, rows);
  }

  /** Blocks until every rank has called it. */
  barrier(): void {
    using _all = scope();
    this.allReduce(zeros([1]));
  }

  /**
   * Runs code whose operators call collectives, such as BatchNorm over the batches of all ranks.
   * @throws {RankLostError} if one of those collectives failed
   */
  run<T>(body: () => T): T {
    try {
      return body();
    } catch (error) {
      const failure = this.#failure();
      throw failure === '' || error instanceof RankLostError ? error : this.#lost('lost', 'a collective', error);
    }
  }

  /** Message of the first failed collective, or ''. */
  #failure(): string {
    const failures = Object.values(this.#handles).map((handle) => native().groupFailure(handle));
    return failures.find((failure) => failure !== '') ?? '';
  }

  #work(what: string, device: Device, start: (handle: number) => WorkHandle): Work {
    const named = <T>(body: () => T): T => {
      try {
        return guarded(body);
      } catch (error) {
        throw this.#failure() === '' ? error : this.#lost('lost', what, error);
      }
    };
    const handle = this.handleOf(device);
    const work = named(() => start(handle));
    return {
      get isDone() {
        return native().isDone(work);
      },
      wait: () => named(() => native().wait(work)),
    };
  }

  /** Names the missing ranks: each surviving rank reports itself in the store, and the ones that do not are missing. */
  #lost(list: 'here' | 'lost', what: string, cause: unknown): Error {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const missing = this.#rollCall(list);
    const who =
      missing === undefined
        ? 'the process that serves the store'
        : missing.length === 0
          ? 'a rank'
          : missing.map((rank) => `rank ${rank}`).join(' and ');
    const late = `failed or did not arrive within ${this.#timeout / 1000} s`;
    const fault = {
      expected: `all ${this.size} ranks at ${what}`,
      problem: `${who} ${late} (reported by rank ${this.rank}: ${reason})`,
      remedy: 'restart from the last checkpoint',
    };
    return new RankLostError(fault, {
      missing: missing ?? [],
      cause: cause instanceof TorchError ? cause : undefined,
    });
  }

  #rollCall(list: 'here' | 'lost'): number[] | undefined {
    try {
      this.#store.set(`${this.#name}/${list}/${this.rank}`, '');
      const end = performance.now() + Math.min(longestRollCall, this.#timeout);
      for (;;) {
        const missing = Array.from({ length: this.size }, (_, rank) => rank).filter(
          (rank) => !this.#store.has(`${this.#name}/${list}/${rank}`),
        );
        if (missing.length === 0 || performance.now() > end) return missing;
        sleep(50);
      }
    } catch {
      return undefined;
    }
  }
}

function sleep(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
