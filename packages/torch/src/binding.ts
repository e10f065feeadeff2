/** The addon's interface, typed: exactly what `native/` exports. */

/** Index of a tensor in the addon's table, branded so that a plain number cannot pass for one. */
export type Handle = number & { readonly __handle: 'tensor' };
/** A random number generator in the addon. */
export type GeneratorHandle = { readonly __handle: 'generator' };

/** A collective operation in progress. */
export type WorkHandle = { readonly __handle: 'work' };
/** A gradient reducer in the addon. */
export type ReducerHandle = { readonly __handle: 'reducer' };

/** Element type of a tensor. */
export type DType =
  | 'float32'
  | 'bfloat16'
  | 'float16'
  | 'float64'
  | 'int64'
  | 'int32'
  | 'int16'
  | 'int8'
  | 'uint8'
  | 'bool';

/** Memory layout of a 4-dimensional tensor. */
export type MemoryFormat = 'contiguous' | 'channelsLast' | 'preserve';

/** A device as libtorch writes it: `cpu` or `cuda:0`. */
export type Device = string;

/** An operator's schema, read by the generator of typed methods. */
export interface Schema {
  readonly arguments: readonly {
    readonly name: string;
    readonly type: string;
    readonly hasDefault: boolean;
    /** N of `int[N]`; 0 for other types. */
    readonly repeats: number;
  }[];
  readonly returns: readonly string[];
}

/** Counters of the caching allocator. Blocks below 64 KiB bypass it and are not counted. */
export interface MemoryStatistics {
  /** Bytes that tensors use now. */
  readonly inUse: number;
  /** Bytes freed and kept for later tensors. */
  readonly cached: number;
  /** Highest `inUse` since the process started or the peak was last reset. */
  readonly peak: number;
  /** Allocations served from the cache. */
  readonly hits: number;
  /** Allocations served by the system. */
  readonly misses: number;
  /** Limit of `cached`, in bytes. */
  readonly limit: number;
}

/** Names of the values that a step of a {@link ForwardGraph} reads and writes. */
export interface ForwardWiring {
  readonly reads: readonly string[];
  readonly writes: string;
  /** Values that no later step reads. */
  readonly frees: readonly string[];
}

/** One step of an inference network. */
export type ForwardStep = ForwardWiring &
  (
    | {
        /** clamp(W * x + b + sum), or PReLU instead of the clamp. `reads` names x and, if there is one, the sum. */
        readonly kind: 'convolution';
        /** (O, I / groups, h, w) */
        readonly weight: Float32Array;
        readonly shape: readonly number[];
        /** (O) */
        readonly bias: Float32Array;
        readonly strides: readonly number[];
        readonly dilations: readonly number[];
        /** Top, left, bottom, right. */
        readonly pads: readonly number[];
        readonly groups: number;
        /** (O): PReLU slopes; needs infinite limits. @default no PReLU */
        readonly slope?: Float32Array | undefined;
        /** Lower and upper bound of the clamp. */
        readonly limits: readonly [number, number];
        /** x · scale + offset before the convolution, (I) each; the padding is still 0 after it. @default none */
        readonly prologue?: { readonly scale: Float32Array; readonly offset: Float32Array } | undefined;
      }
    | {
        /** W x + b in float32, where x is flattened in memory order, channels last. */
        readonly kind: 'linear';
        /** (O, I) */
        readonly weight: Float32Array;
        readonly shape: readonly number[];
        readonly bias: Float32Array;
      }
    | {
        /** PReLU(x · scale + offset) + residual. `reads` names x and, if there is one, the residual. */
        readonly kind: 'affine';
        readonly scale: Float32Array;
        readonly offset: Float32Array;
        /** @default no PReLU */
        readonly slope?: Float32Array | undefined;
      }
    | { readonly kind: 'clamp'; readonly limits: readonly [number, number] }
    | { readonly kind: 'add' }
    | {
        /** Mean over height and width. */
        readonly kind: 'average';
      }
    | {
        /** w · mean over height and width + b + sum, (N, 1) in float32. `reads` names x and, if there is one, the sum. */
        readonly kind: 'projection';
        /** (C) */
        readonly weight: Float32Array;
        readonly bias: number;
      }
    | {
        /** Rows of two values side by side, in float32. */
        readonly kind: 'join';
      }
  );

/** An inference network in the addon. */
export type ForwardHandle = { readonly __handle: 'forward' };

/** What this processor supports, and what the addon uses. */
export interface Processor {
  /** Whether it has bfloat16 multiplication. Without it a ForwardGraph computes in float32. */
  readonly bfloat16: boolean;
  /** The fused kernels in use: the ones that `MAGFACE_KERNELS` names, else the best that the processor supports. */
  readonly kernels: 'avx512bf16' | 'avx512' | 'avx2' | 'plain';
  /** Library of the inference convolutions: `libtorch`, or oneDNN with its version, such as `oneDNN 2.6.0`. */
  readonly packedBy: string;
}

/** The addon. */
export interface Binding {
  readonly version: string;
  // dispatch.cc
  find(name: string, overload: string): number | null;
  schema(operator: number): Schema;
  call(operator: number, values: readonly unknown[]): unknown;
  // tensor.cc
  free(tensor: Handle): void;
  collectable(tensor: Handle): void;
  alive(): number;
  fromTypedArray(array: ArrayBufferView, shape: readonly number[], dtype: DType): Handle;
  bytes(tensor: Handle): ArrayBuffer;
  shape(tensor: Handle): number[];
  dtype(tensor: Handle): DType;
  device(tensor: Handle): Device;
  generator(device: Device, seed: number): GeneratorHandle;
  generatorState(generator: GeneratorHandle): Handle;
  setGeneratorState(generator: GeneratorHandle, state: Handle): void;
  threads(count: number): number;
  cudaDevices(): number;
  // autograd.cc
  backward(tensor: Handle, gradient: Handle | undefined, retainGraph: boolean): void;
  grad(
    output: Handle,
    inputs: readonly Handle[],
    gradient: Handle | undefined,
    retainGraph: boolean,
  ): (Handle | null)[];
  requiresGrad(tensor: Handle, on?: boolean): boolean;
  gradient(tensor: Handle): Handle | null;
  setGradient(tensor: Handle, gradient: Handle | undefined): void;
  recording(on?: boolean): boolean;
  autocast(device: Device, dtype: DType | null): DType | null;
  // sgd.cc
  sgdStep(
    parameters: readonly Handle[],
    velocities: readonly Handle[],
    lr: number,
    momentum: number,
    weightDecay: number,
    gradientScale: number,
  ): void;
  gradientNorms(parameters: readonly Handle[]): Float64Array;
  // convolution.cc
  convolution(
    x: Handle,
    weight: Handle,
    bias: Handle | undefined,
    stride: readonly number[],
    padding: readonly number[],
    dilation: readonly number[],
    groups: number,
  ): Handle;
  // fused_batch_norm.cc
  fusedBatchNorm(
    x: Handle,
    weight: Handle,
    bias: Handle,
    slope: Handle | undefined,
    residual: Handle | undefined,
    runningMean: Handle,
    runningVariance: Handle,
    training: boolean,
    momentum: number,
    epsilon: number,
    group: number | undefined,
  ): Handle;
  // forward_graph.cc
  forwardGraph(steps: readonly ForwardStep[], input: string, output: string, threads: number): ForwardHandle;
  forwardRun(
    graph: ForwardHandle,
    values: Float32Array,
    shape: readonly number[],
    channelsLast: boolean,
  ): Promise<Float32Array>;
  forwardRelease(graph: ForwardHandle): void;
  processor(): Processor;
  // allocator.cc
  cacheMemory(bytes: number): void;
  trimMemory(bytes: number): void;
  memoryStatistics(resetPeak: boolean): MemoryStatistics;
  // collective.cc
  store(host: string, port: number, isServer: boolean, timeout: number): { store: number; port: number };
  storeSet(store: number, key: string, value: string): void;
  storeGet(store: number, key: string): string;
  storeHas(store: number, key: string): boolean;
  group(
    backend: string,
    store: number,
    name: string,
    rank: number,
    size: number,
    timeout: number,
    address: string,
  ): number;
  groupFailure(group: number): string;
  allReduce(group: number, tensor: Handle, operation: 'sum' | 'max'): WorkHandle;
  broadcast(group: number, tensor: Handle, root: number): WorkHandle;
  allGather(group: number, outputs: readonly Handle[], input: Handle): WorkHandle;
  wait(work: WorkHandle): void;
  isDone(work: WorkHandle): boolean;
  // reducer.cc
  reducer(group: number, parameters: readonly Handle[], bucketBytes: number): ReducerHandle;
  reducerStart(reducer: ReducerHandle): void;
  reducerFinish(reducer: ReducerHandle): void;
}
