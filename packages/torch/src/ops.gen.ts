/** Written by scripts/gen-ops.ts from ops.txt over libtorch 1.13.0: do not edit. */
import type { Device, DType, MemoryFormat } from './binding.ts';
import { invoke, operator } from './dispatch.ts';
import type { Generator } from './generator.ts';
import type { Tensor } from './tensor.ts';

const op = {
  add: operator('aten::add.Tensor'),
  addScalar: operator('aten::add.Scalar'),
  sub: operator('aten::sub.Tensor'),
  subScalar: operator('aten::sub.Scalar'),
  mul: operator('aten::mul.Tensor'),
  mulScalar: operator('aten::mul.Scalar'),
  div: operator('aten::div.Tensor'),
  divScalar: operator('aten::div.Scalar'),
  pow: operator('aten::pow.Tensor_Scalar'),
  neg: operator('aten::neg'),
  abs: operator('aten::abs'),
  exp: operator('aten::exp'),
  log: operator('aten::log'),
  sqrt: operator('aten::sqrt'),
  square: operator('aten::square'),
  sin: operator('aten::sin'),
  cos: operator('aten::cos'),
  acos: operator('aten::acos'),
  reciprocal: operator('aten::reciprocal'),
  sigmoid: operator('aten::sigmoid'),
  relu: operator('aten::relu'),
  clamp: operator('aten::clamp'),
  maximum: operator('aten::maximum'),
  minimum: operator('aten::minimum'),
  eq: operator('aten::eq.Tensor'),
  eqScalar: operator('aten::eq.Scalar'),
  gt: operator('aten::gt.Tensor'),
  gtScalar: operator('aten::gt.Scalar'),
  lt: operator('aten::lt.Tensor'),
  ltScalar: operator('aten::lt.Scalar'),
  ge: operator('aten::ge.Tensor'),
  geScalar: operator('aten::ge.Scalar'),
  le: operator('aten::le.Tensor'),
  leScalar: operator('aten::le.Scalar'),
  logicalAnd: operator('aten::logical_and'),
  logicalNot: operator('aten::logical_not'),
  isfinite: operator('aten::isfinite'),
  all: operator('aten::all'),
  any: operator('aten::any'),
  sum: operator('aten::sum'),
  sumDim: operator('aten::sum.dim_IntList'),
  mean: operator('aten::mean'),
  meanDim: operator('aten::mean.dim'),
  variance: operator('aten::var.correction'),
  max: operator('aten::max'),
  min: operator('aten::min'),
  argmax: operator('aten::argmax'),
  amax: operator('aten::amax'),
  argsort: operator('aten::argsort'),
  topk: operator('aten::topk'),
  norm: operator('aten::norm.ScalarOpt_dim'),
  softmax: operator('aten::softmax.int'),
  logSoftmax: operator('aten::log_softmax.int'),
  matmul: operator('aten::matmul'),
  t: operator('aten::t'),
  transpose: operator('aten::transpose.int'),
  permute: operator('aten::permute'),
  reshape: operator('aten::reshape'),
  flatten: operator('aten::flatten.using_ints'),
  squeeze: operator('aten::squeeze.dim'),
  unsqueeze: operator('aten::unsqueeze'),
  expand: operator('aten::expand'),
  narrow: operator('aten::narrow'),
  indexSelect: operator('aten::index_select'),
  gather: operator('aten::gather'),
  scatter: operator('aten::scatter.src'),
  oneHot: operator('aten::one_hot'),
  where: operator('aten::where.self'),
  maskedFill: operator('aten::masked_fill.Scalar'),
  cat: operator('aten::cat'),
  stack: operator('aten::stack'),
  flip: operator('aten::flip'),
  clone: operator('aten::clone'),
  contiguous: operator('aten::contiguous'),
  detach: operator('aten::detach'),
  toDevice: operator('aten::to.device'),
  to: operator('aten::to.dtype_layout'),
  zerosLike: operator('aten::zeros_like'),
  onesLike: operator('aten::ones_like'),
  zeros: operator('aten::zeros'),
  ones: operator('aten::ones'),
  full: operator('aten::full'),
  arange: operator('aten::arange'),
  copy_: operator('aten::copy_'),
  indexCopy_: operator('aten::index_copy_'),
  fill_: operator('aten::fill_.Scalar'),
  zero_: operator('aten::zero_'),
  add_: operator('aten::add_.Tensor'),
  add_Scalar: operator('aten::add_.Scalar'),
  mul_: operator('aten::mul_.Tensor'),
  mul_Scalar: operator('aten::mul_.Scalar'),
  div_: operator('aten::div_.Tensor'),
  div_Scalar: operator('aten::div_.Scalar'),
  uniform_: operator('aten::uniform_'),
  normal_: operator('aten::normal_'),
  bernoulli_: operator('aten::bernoulli_.float'),
  randperm: operator('aten::randperm.generator'),
  conv2d: operator('aten::conv2d'),
  linear: operator('aten::linear'),
  prelu: operator('aten::prelu'),
  batchNorm: operator('aten::batch_norm'),
  crossEntropyLoss: operator('aten::cross_entropy_loss'),
  adaptiveAvgPool2d: operator('aten::adaptive_avg_pool2d'),
  maxPool2d: operator('aten::max_pool2d'),
};

/** The methods of a tensor. Arguments with a default are fields of the last object. */
export abstract class TensorOps {
  /** @internal */
  protected asTensor(): Tensor {
    return this as unknown as Tensor;
  }

  /** `aten::add.Tensor`, `aten::add.Scalar` */
  add(other: Tensor | number, options: { readonly alpha?: number | undefined } = {}): Tensor {
    return invoke(typeof other === 'number' ? op.addScalar : op.add, [this.asTensor(), other, options.alpha]);
  }

  /** `aten::sub.Tensor`, `aten::sub.Scalar` */
  sub(other: Tensor | number, options: { readonly alpha?: number | undefined } = {}): Tensor {
    return invoke(typeof other === 'number' ? op.subScalar : op.sub, [this.asTensor(), other, options.alpha]);
  }

  /** `aten::mul.Tensor`, `aten::mul.Scalar` */
  mul(other: Tensor | number): Tensor {
    return invoke(typeof other === 'number' ? op.mulScalar : op.mul, [this.asTensor(), other]);
  }

  /** `aten::div.Tensor`, `aten::div.Scalar` */
  div(other: Tensor | number): Tensor {
    return invoke(typeof other === 'number' ? op.divScalar : op.div, [this.asTensor(), other]);
  }

  /** `aten::pow.Tensor_Scalar` */
  pow(exponent: number): Tensor {
    return invoke(op.pow, [this.asTensor(), exponent]);
  }

  /** `aten::neg` */
  neg(): Tensor {
    return invoke(op.neg, [this.asTensor()]);
  }

  /** `aten::abs` */
  abs(): Tensor {
    return invoke(op.abs, [this.asTensor()]);
  }

  /** `aten::exp` */
  exp(): Tensor {
    return invoke(op.exp, [this.asTensor()]);
  }

  /** `aten::log` */
  log(): Tensor {
    return invoke(op.log, [this.asTensor()]);
  }

  /** `aten::sqrt` */
  sqrt(): Tensor {
    return invoke(op.sqrt, [this.asTensor()]);
  }

  /** `aten::square` */
  square(): Tensor {
    return invoke(op.square, [this.asTensor()]);
  }

  /** `aten::sin` */
  sin(): Tensor {
    return invoke(op.sin, [this.asTensor()]);
  }

  /** `aten::cos` */
  cos(): Tensor {
    return invoke(op.cos, [this.asTensor()]);
  }

  /** `aten::acos` */
  acos(): Tensor {
    return invoke(op.acos, [this.asTensor()]);
  }

  /** `aten::reciprocal` */
  reciprocal(): Tensor {
    return invoke(op.reciprocal, [this.asTensor()]);
  }

  /** `aten::sigmoid` */
  sigmoid(): Tensor {
    return invoke(op.sigmoid, [this.asTensor()]);
  }

  /** `aten::relu` */
  relu(): Tensor {
    return invoke(op.relu, [this.asTensor()]);
  }

  /** `aten::clamp` */
  clamp(options: { readonly min?: number | null | undefined; readonly max?: number | null | undefined } = {}): Tensor {
    return invoke(op.clamp, [this.asTensor(), options.min, options.max]);
  }

  /** `aten::maximum` */
  maximum(other: Tensor): Tensor {
    return invoke(op.maximum, [this.asTensor(), other]);
  }

  /** `aten::minimum` */
  minimum(other: Tensor): Tensor {
    return invoke(op.minimum, [this.asTensor(), other]);
  }

  /** `aten::eq.Tensor`, `aten::eq.Scalar` */
  eq(other: Tensor | number): Tensor {
    return invoke(typeof other === 'number' ? op.eqScalar : op.eq, [this.asTensor(), other]);
  }

  /** `aten::gt.Tensor`, `aten::gt.Scalar` */
  gt(other: Tensor | number): Tensor {
    return invoke(typeof other === 'number' ? op.gtScalar : op.gt, [this.asTensor(), other]);
  }

  /** `aten::lt.Tensor`, `aten::lt.Scalar` */
  lt(other: Tensor | number): Tensor {
    return invoke(typeof other === 'number' ? op.ltScalar : op.lt, [this.asTensor(), other]);
  }

  /** `aten::ge.Tensor`, `aten::ge.Scalar` */
  ge(other: Tensor | number): Tensor {
    return invoke(typeof other === 'number' ? op.geScalar : op.ge, [this.asTensor(), other]);
  }

  /** `aten::le.Tensor`, `aten::le.Scalar` */
  le(other: Tensor | number): Tensor {
    return invoke(typeof other === 'number' ? op.leScalar : op.le, [this.asTensor(), other]);
  }

  /** `aten::logical_and` */
  logicalAnd(other: Tensor): Tensor {
    return invoke(op.logicalAnd, [this.asTensor(), other]);
  }

  /** `aten::logical_not` */
  logicalNot(): Tensor {
    return invoke(op.logicalNot, [this.asTensor()]);
  }

  /** `aten::isfinite` */
  isfinite(): Tensor {
    return invoke(op.isfinite, [this.asTensor()]);
  }

  /** `aten::all` */
  all(): Tensor {
    return invoke(op.all, [this.asTensor()]);
  }

  /** `aten::any` */
  any(): Tensor {
    return invoke(op.any, [this.asTensor()]);
  }

  /** `aten::sum` */
  sum(options: { readonly dtype?: DType | null | undefined } = {}): Tensor {
    return invoke(op.sum, [this.asTensor(), options.dtype]);
  }

  /** `aten::sum.dim_IntList` */
  sumDim(dim: number | readonly number[] | null, options: { readonly keepdim?: boolean | undefined; readonly dtype?: DType | null | undefined } = {}): Tensor {
    return invoke(op.sumDim, [this.asTensor(), dim, options.keepdim, options.dtype]);
  }

  /** `aten::mean` */
  mean(options: { readonly dtype?: DType | null | undefined } = {}): Tensor {
    return invoke(op.mean, [this.asTensor(), options.dtype]);
  }

  /** `aten::mean.dim` */
  meanDim(dim: number | readonly number[] | null, options: { readonly keepdim?: boolean | undefined; readonly dtype?: DType | null | undefined } = {}): Tensor {
    return invoke(op.meanDim, [this.asTensor(), dim, options.keepdim, options.dtype]);
  }

  /** `aten::var.correction` */
  variance(dim: number | readonly number[] | null, correction: number | null, options: { readonly keepdim?: boolean | undefined } = {}): Tensor {
    return invoke(op.variance, [this.asTensor(), dim, correction, options.keepdim]);
  }

  /** `aten::max` */
  max(): Tensor {
    return invoke(op.max, [this.asTensor()]);
  }

  /** `aten::min` */
  min(): Tensor {
    return invoke(op.min, [this.asTensor()]);
  }

  /** `aten::argmax` */
  argmax(options: { readonly dim?: number | null | undefined; readonly keepdim?: boolean | undefined } = {}): Tensor {
    return invoke(op.argmax, [this.asTensor(), options.dim, options.keepdim]);
  }

  /** `aten::amax` */
  amax(options: { readonly dim?: number | readonly number[] | undefined; readonly keepdim?: boolean | undefined } = {}): Tensor {
    return invoke(op.amax, [this.asTensor(), options.dim, options.keepdim]);
  }

  /** `aten::argsort` */
  argsort(options: { readonly dim?: number | undefined; readonly descending?: boolean | undefined } = {}): Tensor {
    return invoke(op.argsort, [this.asTensor(), options.dim, options.descending]);
  }

  /** `aten::topk` */
  topk(k: number, options: { readonly dim?: number | undefined; readonly largest?: boolean | undefined; readonly sorted?: boolean | undefined } = {}): [Tensor, Tensor] {
    return invoke(op.topk, [this.asTensor(), k, options.dim, options.largest, options.sorted]);
  }

  /** `aten::norm.ScalarOpt_dim` */
  norm(p: number | null, dim: number | readonly number[], options: { readonly keepdim?: boolean | undefined } = {}): Tensor {
    return invoke(op.norm, [this.asTensor(), p, dim, options.keepdim]);
  }

  /** `aten::softmax.int` */
  softmax(dim: number, options: { readonly dtype?: DType | null | undefined } = {}): Tensor {
    return invoke(op.softmax, [this.asTensor(), dim, options.dtype]);
  }

  /** `aten::log_softmax.int` */
  logSoftmax(dim: number, options: { readonly dtype?: DType | null | undefined } = {}): Tensor {
    return invoke(op.logSoftmax, [this.asTensor(), dim, options.dtype]);
  }

  /** `aten::matmul` */
  matmul(other: Tensor): Tensor {
    return invoke(op.matmul, [this.asTensor(), other]);
  }

  /** `aten::t` */
  t(): Tensor {
    return invoke(op.t, [this.asTensor()]);
  }

  /** `aten::transpose.int` */
  transpose(dim0: number, dim1: number): Tensor {
    return invoke(op.transpose, [this.asTensor(), dim0, dim1]);
  }

  /** `aten::permute` */
  permute(dims: readonly number[]): Tensor {
    return invoke(op.permute, [this.asTensor(), dims]);
  }

  /** `aten::reshape` */
  reshape(shape: readonly number[]): Tensor {
    return invoke(op.reshape, [this.asTensor(), shape]);
  }

  /** `aten::flatten.using_ints` */
  flatten(options: { readonly startDim?: number | undefined; readonly endDim?: number | undefined } = {}): Tensor {
    return invoke(op.flatten, [this.asTensor(), options.startDim, options.endDim]);
  }

  /** `aten::squeeze.dim` */
  squeeze(dim: number): Tensor {
    return invoke(op.squeeze, [this.asTensor(), dim]);
  }

  /** `aten::unsqueeze` */
  unsqueeze(dim: number): Tensor {
    return invoke(op.unsqueeze, [this.asTensor(), dim]);
  }

  /** `aten::expand` */
  expand(size: readonly number[], options: { readonly implicit?: boolean | undefined } = {}): Tensor {
    return invoke(op.expand, [this.asTensor(), size, options.implicit]);
  }

  /** `aten::narrow` */
  narrow(dim: number, start: number, length: number): Tensor {
    return invoke(op.narrow, [this.asTensor(), dim, start, length]);
  }

  /** `aten::index_select` */
  indexSelect(dim: number, index: Tensor): Tensor {
    return invoke(op.indexSelect, [this.asTensor(), dim, index]);
  }

  /** `aten::gather` */
  gather(dim: number, index: Tensor, options: { readonly sparseGrad?: boolean | undefined } = {}): Tensor {
    return invoke(op.gather, [this.asTensor(), dim, index, options.sparseGrad]);
  }

  /** `aten::scatter.src` */
  scatter(dim: number, index: Tensor, src: Tensor): Tensor {
    return invoke(op.scatter, [this.asTensor(), dim, index, src]);
  }

  /** `aten::one_hot` */
  oneHot(options: { readonly numClasses?: number | undefined } = {}): Tensor {
    return invoke(op.oneHot, [this.asTensor(), options.numClasses]);
  }

  /** `aten::where.self` */
  where(self: Tensor, other: Tensor): Tensor {
    return invoke(op.where, [this.asTensor(), self, other]);
  }

  /** `aten::masked_fill.Scalar` */
  maskedFill(mask: Tensor, value: number): Tensor {
    return invoke(op.maskedFill, [this.asTensor(), mask, value]);
  }

  /** `aten::flip` */
  flip(dims: readonly number[]): Tensor {
    return invoke(op.flip, [this.asTensor(), dims]);
  }

  /** `aten::clone` */
  clone(options: { readonly memoryFormat?: MemoryFormat | null | undefined } = {}): Tensor {
    return invoke(op.clone, [this.asTensor(), options.memoryFormat]);
  }

  /** `aten::contiguous` */
  contiguous(options: { readonly memoryFormat?: MemoryFormat | undefined } = {}): Tensor {
    return invoke(op.contiguous, [this.asTensor(), options.memoryFormat]);
  }

  /** `aten::detach` */
  detach(): Tensor {
    return invoke(op.detach, [this.asTensor()]);
  }

  /** `aten::to.device` */
  toDevice(device: Device, dtype: DType, options: { readonly nonBlocking?: boolean | undefined; readonly copy?: boolean | undefined; readonly memoryFormat?: MemoryFormat | null | undefined } = {}): Tensor {
    return invoke(op.toDevice, [this.asTensor(), device, dtype, options.nonBlocking, options.copy, options.memoryFormat]);
  }

  /** `aten::to.dtype_layout` */
  to(options: { readonly dtype?: DType | null | undefined; readonly device?: Device | null | undefined; readonly pinMemory?: boolean | null | undefined; readonly nonBlocking?: boolean | undefined; readonly copy?: boolean | undefined; readonly memoryFormat?: MemoryFormat | null | undefined } = {}): Tensor {
    return invoke(op.to, [this.asTensor(), options.dtype, undefined, options.device, options.pinMemory, options.nonBlocking, options.copy, options.memoryFormat]);
  }

  /** `aten::zeros_like` */
  zerosLike(options: { readonly dtype?: DType | null | undefined; readonly device?: Device | null | undefined; readonly pinMemory?: boolean | null | undefined; readonly memoryFormat?: MemoryFormat | null | undefined } = {}): Tensor {
    return invoke(op.zerosLike, [this.asTensor(), options.dtype, undefined, options.device, options.pinMemory, options.memoryFormat]);
  }

  /** `aten::ones_like` */
  onesLike(options: { readonly dtype?: DType | null | undefined; readonly device?: Device | null | undefined; readonly pinMemory?: boolean | null | undefined; readonly memoryFormat?: MemoryFormat | null | undefined } = {}): Tensor {
    return invoke(op.onesLike, [this.asTensor(), options.dtype, undefined, options.device, options.pinMemory, options.memoryFormat]);
  }

  /** `aten::copy_` */
  copy_(src: Tensor, options: { readonly nonBlocking?: boolean | undefined } = {}): Tensor {
    return invoke(op.copy_, [this.asTensor(), src, options.nonBlocking]);
  }

  /** `aten::index_copy_` */
  indexCopy_(dim: number, index: Tensor, source: Tensor): Tensor {
    return invoke(op.indexCopy_, [this.asTensor(), dim, index, source]);
  }

  /** `aten::fill_.Scalar` */
  fill_(value: number): Tensor {
    return invoke(op.fill_, [this.asTensor(), value]);
  }

  /** `aten::zero_` */
  zero_(): Tensor {
    return invoke(op.zero_, [this.asTensor()]);
  }

  /** `aten::add_.Tensor`, `aten::add_.Scalar` */
  add_(other: Tensor | number, options: { readonly alpha?: number | undefined } = {}): Tensor {
    return invoke(typeof other === 'number' ? op.add_Scalar : op.add_, [this.asTensor(), other, options.alpha]);
  }

  /** `aten::mul_.Tensor`, `aten::mul_.Scalar` */
  mul_(other: Tensor | number): Tensor {
    return invoke(typeof other === 'number' ? op.mul_Scalar : op.mul_, [this.asTensor(), other]);
  }

  /** `aten::div_.Tensor`, `aten::div_.Scalar` */
  div_(other: Tensor | number): Tensor {
    return invoke(typeof other === 'number' ? op.div_Scalar : op.div_, [this.asTensor(), other]);
  }

  /** `aten::uniform_` */
  uniform_(options: { readonly from?: number | undefined; readonly to?: number | undefined; readonly generator?: Generator | null | undefined } = {}): Tensor {
    return invoke(op.uniform_, [this.asTensor(), options.from, options.to, options.generator]);
  }

  /** `aten::normal_` */
  normal_(options: { readonly mean?: number | undefined; readonly std?: number | undefined; readonly generator?: Generator | null | undefined } = {}): Tensor {
    return invoke(op.normal_, [this.asTensor(), options.mean, options.std, options.generator]);
  }

  /** `aten::bernoulli_.float` */
  bernoulli_(options: { readonly p?: number | undefined; readonly generator?: Generator | null | undefined } = {}): Tensor {
    return invoke(op.bernoulli_, [this.asTensor(), options.p, options.generator]);
  }

  /** `aten::conv2d` */
  conv2d(weight: Tensor, options: { readonly bias?: Tensor | null | undefined; readonly stride?: number | readonly number[] | undefined; readonly padding?: number | readonly number[] | undefined; readonly dilation?: number | readonly number[] | undefined; readonly groups?: number | undefined } = {}): Tensor {
    return invoke(op.conv2d, [this.asTensor(), weight, options.bias, options.stride, options.padding, options.dilation, options.groups]);
  }

  /** `aten::linear` */
  linear(weight: Tensor, options: { readonly bias?: Tensor | null | undefined } = {}): Tensor {
    return invoke(op.linear, [this.asTensor(), weight, options.bias]);
  }

  /** `aten::prelu` */
  prelu(weight: Tensor): Tensor {
    return invoke(op.prelu, [this.asTensor(), weight]);
  }

  /** `aten::batch_norm` */
  batchNorm(weight: Tensor | null, bias: Tensor | null, runningMean: Tensor | null, runningVar: Tensor | null, training: boolean, momentum: number, eps: number, cudnnEnabled: boolean): Tensor {
    return invoke(op.batchNorm, [this.asTensor(), weight, bias, runningMean, runningVar, training, momentum, eps, cudnnEnabled]);
  }

  /** `aten::cross_entropy_loss` */
  crossEntropyLoss(target: Tensor, options: { readonly weight?: Tensor | null | undefined; readonly reduction?: number | undefined; readonly ignoreIndex?: number | undefined; readonly labelSmoothing?: number | undefined } = {}): Tensor {
    return invoke(op.crossEntropyLoss, [this.asTensor(), target, options.weight, options.reduction, options.ignoreIndex, options.labelSmoothing]);
  }

  /** `aten::adaptive_avg_pool2d` */
  adaptiveAvgPool2d(outputSize: number | readonly number[]): Tensor {
    return invoke(op.adaptiveAvgPool2d, [this.asTensor(), outputSize]);
  }

  /** `aten::max_pool2d` */
  maxPool2d(kernelSize: number | readonly number[], options: { readonly stride?: number | readonly number[] | undefined; readonly padding?: number | readonly number[] | undefined; readonly dilation?: number | readonly number[] | undefined; readonly ceilMode?: boolean | undefined } = {}): Tensor {
    return invoke(op.maxPool2d, [this.asTensor(), kernelSize, options.stride, options.padding, options.dilation, options.ceilMode]);
  }
}

/** `aten::cat` */
export function cat(tensors: readonly Tensor[], options: { readonly dim?: number | undefined } = {}): Tensor {
  return invoke(op.cat, [tensors, options.dim]);
}

/** `aten::stack` */
export function stack(tensors: readonly Tensor[], options: { readonly dim?: number | undefined } = {}): Tensor {
  return invoke(op.stack, [tensors, options.dim]);
}

/** `aten::zeros` */
export function zeros(size: readonly number[], options: { readonly dtype?: DType | null | undefined; readonly device?: Device | null | undefined; readonly pinMemory?: boolean | null | undefined } = {}): Tensor {
  return invoke(op.zeros, [size, options.dtype, undefined, options.device, options.pinMemory]);
}

/** `aten::ones` */
export function ones(size: readonly number[], options: { readonly dtype?: DType | null | undefined; readonly device?: Device | null | undefined; readonly pinMemory?: boolean | null | undefined } = {}): Tensor {
  return invoke(op.ones, [size, options.dtype, undefined, options.device, options.pinMemory]);
}

/** `aten::full` */
export function full(size: readonly number[], fillValue: number, options: { readonly dtype?: DType | null | undefined; readonly device?: Device | null | undefined; readonly pinMemory?: boolean | null | undefined } = {}): Tensor {
  return invoke(op.full, [size, fillValue, options.dtype, undefined, options.device, options.pinMemory]);
}

/** `aten::arange` */
export function arange(end: number, options: { readonly dtype?: DType | null | undefined; readonly device?: Device | null | undefined; readonly pinMemory?: boolean | null | undefined } = {}): Tensor {
  return invoke(op.arange, [end, options.dtype, undefined, options.device, options.pinMemory]);
}

/** `aten::randperm.generator` */
export function randperm(n: number, generator: Generator | null, options: { readonly dtype?: DType | null | undefined; readonly device?: Device | null | undefined; readonly pinMemory?: boolean | null | undefined } = {}): Tensor {
  return invoke(op.randperm, [n, generator, options.dtype, undefined, options.device, options.pinMemory]);
}
