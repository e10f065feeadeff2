/** A thin binding to libtorch. Each name is documented in its own file. */
export { AdamW } from './adamw.ts';
export { autocast } from './amp.ts';
export { gradients, noGrad } from './autograd.ts';
export type {
  Device,
  DType,
  ForwardStep,
  ForwardWiring,
  MemoryFormat,
  MemoryStatistics,
  Processor,
} from './binding.ts';
export { type Built, build } from './build.ts';
export { type ConvolutionOptions, convolution } from './convolution.ts';
export { aliveTensors, cudaDevices, isBuilt, threads, torchVersion } from './device.ts';
export { type Argument, invoke, type Operator, operator } from './dispatch.ts';
export { LibtorchError, RankLostError, ScopeError, TorchError, UseAfterFreeError } from './errors.ts';
export { findLibtorch, type Libtorch } from './find-libtorch.ts';
export { ForwardGraph, type ForwardGraphOptions, processor } from './forward-graph.ts';
export { crossEntropy, matmul, normalize, where } from './functional.ts';
export { type FusedBatchNormOptions, fusedBatchNorm } from './fused-batch-norm.ts';
export { Generator } from './generator.ts';
export { builtAddon } from './load.ts';
export { cacheMemory, memoryStatistics, trimMemory } from './memory.ts';
export { arange, cat, full, ones, randperm, stack, zeros } from './ops.gen.ts';
export { Optimizer, type StepOptions } from './optimizer.ts';
export { ProcessGroup, type ProcessGroupOptions, Store, type StoreOptions, type Work } from './process-group.ts';
export { GradientReducer } from './reducer.ts';
export { type Owned, scope, type TensorScope } from './scope.ts';
export { Sgd } from './sgd.ts';
export { fromArray, Tensor, type Values } from './tensor.ts';
