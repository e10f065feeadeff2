/** All that crosses the native border, typed: what `native/` exports, and nothing else. */

/** A tensor's place in the addon's table, not to be mistaken for a number. */
export type Handle = number & { readonly __handle: 'tensor' };
/** A generator inside the addon. */
export type GeneratorHandle = { readonly __handle: 'generator' };

/** A collective that was started. */
export type WorkHandle = { readonly __handle: 'work' };
/** Buckets of gradients inside the addon. */
export type ReducerHandle = { readonly __handle: 'reducer' };

/** Element types under the names of this package. */
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

/** Order of a 4-dimensional tensor in memory. */
export type MemoryFormat = 'contiguous' | 'channelsLast' | 'preserve';

/** `cpu` or `cuda:0`, as libtorch writes them. */
export type Device = string;

/** What an operator's schema says, for the generator of typed methods. */
export interface Schema {
  readonly arguments: readonly {
    readonly name: string;
    readonly type: string;
    readonly hasDefault: boolean;
    /** N of `int[N]`, 0 where there is none. */
    readonly repeats: number;
  }[];
  readonly returns: readonly string[];
}

/** What the caching allocator has served, in bytes and times; of blocks of 64 KiB and more, since smaller ones pass it by. */
export interface MemoryStatistics {
  /** Bytes that tensors hold now. */
  readonly inUse: number;
  /** Bytes freed and kept for later tensors. */
  readonly cached: number;
  /** The most that was in use at once since the beginning, or since the peak was last reset. */
  readonly peak: number;
  /** Blocks given out again. */
  readonly hits: number;
  /** Blocks that the system had to give. */
  readonly misses: number;
  /** Bytes that may be kept. */
  readonly limit: number;
}

/** What a step of a {@link ForwardGraph} reads and writes, by names. */
export interface ForwardWiring {
  readonly reads: readonly string[];
  readonly writes: string;
  /** Values that no later step reads. */
  readonly frees: readonly string[];
}

/** One step of a network at inference. */
export type ForwardStep = ForwardWiring &
  (
    | {
        /** limits(W * x + b + sum), or PReLU in place of limits; `reads` are x and, where there is one, the sum. */
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
        /** PReLU's, (O), where the limits are infinite. @default no PReLU */
        readonly slope?: Float32Array | undefined;
        /** Least and greatest value. */
        readonly limits: readonly [number, number];
        /** A line that x goes through first, (I) each; what lies outside of the image is 0 behind it. @default none */
        readonly entry?: { readonly scale: Float32Array; readonly offset: Float32Array } | undefined;
      }
    | {
        /** W x + b of the values in the order of memory, the channels last, in float32. */
        readonly kind: 'linear';
        /** (O, I) */
        readonly weight: Float32Array;
        readonly shape: readonly number[];
        readonly bias: Float32Array;
      }
    | {
        /** PReLU(x · scale + offset) + residual; `reads` are x and, where there is one, the residual. */
        readonly kind: 'line';
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
  );

/** A network inside the addon. */
export type ForwardHandle = { readonly __handle: 'forward' };

/** What this processor has, and what the addon makes of it. */
export interface Processor {
  /** Whether it multiplies bfloat16 itself; elsewhere a ForwardGraph computes in float32. */
  readonly bfloat16: boolean;
  /** The fused loops that are used: those of `MAGFACE_KERNELS`, else the best. */
  readonly kernels: 'avx512bf16' | 'avx512' | 'avx2' | 'plain';
  /** Whose convolutions inference uses, such as `oneDNN 2.6.0`, or `libtorch`. */
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
