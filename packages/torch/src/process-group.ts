/**
 * Processes that compute together, over libtorch's c10d: a store through which they find each other, and a group whose
 * collectives every rank calls in the same order. The calling thread sleeps while a collective is waited for.
 */

import type { Device, WorkHandle } from './binding.ts';
import { guarded } from './dispatch.ts';
import { RankLostError, TorchError } from './errors.ts';
import { native } from './load.ts';
import { zeros } from './ops.gen.ts';
import { scope } from './scope.ts';
import type { Tensor } from './tensor.ts';

/** Where the processes of a group meet. */
export interface StoreOptions {
  /** Name or address of the machine that keeps the store. @default '127.0.0.1' */
  readonly host?: string;
  /** 0 lets the process that keeps it take a free one. @default 0 */
  readonly port?: number;
  /** Whether this process keeps it. @default false */
  readonly isServer?: boolean;
  /** Milliseconds after which a value that nobody sets is given up. @default 600000 */
  readonly timeout?: number;
}

/** A table of texts that all processes see. It is there as long as the process that keeps it. */
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

  /** Waits until some process has set it. */
  get(key: string): string {
    return guarded(() => native().storeGet(this.handle, key));
  }

  /** Whether some process has set it. */
  has(key: string): boolean {
    return guarded(() => native().storeHas(this.handle, key));
  }
}

/** A collective under way. */
export interface Work {
  /** Whether it ended; nothing waits. */
  readonly isDone: boolean;
  /** Sleeps until its tensors have their values. @throws {RankLostError} */
  wait(): void;
}

/** Which place a process has in a group, and how the group talks. */
export interface ProcessGroupOptions {
  /** Of this process, from 0. */
  readonly rank: number;
  /** R. */
  readonly size: number;
  /** `nccl` for CUDA's tensors, where libtorch has it; tensors on the CPU go over Gloo all the same. @default 'gloo' */
  readonly backend?: 'gloo' | 'nccl';
  /** Milliseconds that a collective waits for the slowest rank. @default 600000 */
  readonly timeout?: number;
  /** Apart from those of other groups over the same store. @default 'group' */
  readonly name?: string;
  /** Address of this machine; GLOO_SOCKET_IFNAME names a network card instead. @default what its host name means */
  readonly address?: string;
}

/** Most milliseconds that those who lost a rank wait to hear who else did. */
const longestRollCall = 3000;

/** The collectives of one group. Results are the same bits on every rank. */
export class ProcessGroup {
  readonly rank: number;
  readonly size: number;
  /** Of Gloo's group, and of NCCL's where there is one. */
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
      // Where all are here it is no rank that is missing, but NCCL, a GPU or a network card.
      throw this.#rollCall('here')?.length === 0 ? error : this.#lost('here', 'the start', error);
    }
  }

  /** @internal Which of the native groups carries tensors of a device. */
  handleOf(device: Device): number {
    const { cpu, cuda } = this.#handles;
    if (device === 'cpu') return cpu;
    if (cuda !== undefined) return cuda;
    throw new TorchError(`Expected a group over NCCL for a tensor on ${device}: make it with backend: 'nccl'.`, {
      operator: 'collective',
    });
  }

  /** Starts the sum (or the greatest) over all ranks, in place. */
  startAllReduce(tensor: Tensor, operation: 'sum' | 'max' = 'sum'): Work {
    return this.#work('all-reduce', tensor.device, (handle) => native().allReduce(handle, tensor.handle, operation));
  }

  /** @returns the same tensor, which now holds the sum (or the greatest) over all ranks */
  allReduce(tensor: Tensor, operation: 'sum' | 'max' = 'sum'): Tensor {
    this.startAllReduce(tensor, operation).wait();
    return tensor;
  }

  /** @returns the same tensor, which now holds what `root` has */
  broadcast(tensor: Tensor, root = 0): Tensor {
    this.#work('broadcast', tensor.device, (handle) => native().broadcast(handle, tensor.handle, root)).wait();
    return tensor;
  }

  /**
   * @param tensor - (n, …), the same shape on every rank
   * @returns (R · n, …): every rank's, in the order of ranks
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
   * The sum over all ranks, of which each takes its own rows. Gloo has no such collective: it is an all-reduce, in place.
   *
   * @param tensor - (R · n, …)
   * @returns (n, …)
   */
  reduceScatter(tensor: Tensor): Tensor {
    const rows = tensor.size(0) / this.size;
    return this.allReduce(tensor).narrow(0, this.rank * rows, rows);
  }

  /** Every rank waits here until all have come. */
  barrier(): void {
    using _all = scope();
    this.allReduce(zeros([1]));
  }

  /**
   * Runs code in which operators call collectives of their own, such as BatchNorm over the batches of all ranks.
   * @throws {RankLostError} where one of them failed
   */
  run<T>(body: () => T): T {
    try {
      return body();
    } catch (error) {
      const failure = this.#failure();
      throw failure === '' || error instanceof RankLostError ? error : this.#lost('lost', 'a collective', error);
    }
  }

  /** What the first failed collective said, or empty. */
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

  /** Who is missing: each rank that lost another says so in the store, and those who do not are the missing ones. */
  #lost(list: 'here' | 'lost', what: string, cause: unknown): Error {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const missing = this.#rollCall(list);
    const who =
      missing === undefined
        ? 'the process that keeps the store'
        : missing.length === 0
          ? 'a rank'
          : missing.map((rank) => `rank ${rank}`).join(' and ');
    return new RankLostError(
      `Expected all ${this.size} ranks at ${what} but ${who} did not come within ${this.#timeout / 1000} s or broke off (seen by rank ${this.rank}: ${reason}): start again from the last checkpoint.`,
      { missing: missing ?? [], cause: cause instanceof TorchError ? cause : undefined },
    );
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
