/** Runs a network of layers.ts with libtorch: its tensors, their initialisation, and the forward pass. */
import {
  convolution,
  type Device,
  type FusedBatchNormOptions,
  fromArray,
  Generator,
  noGrad,
  type ProcessGroup,
  scope,
  type Tensor,
  zeros,
} from '@magface/torch';
import { ShapeError } from '../../errors.ts';
import type { Share } from '../parallel/shares.ts';
import { batchNorm } from './batch-norm.ts';
import { type BatchNormLayer, fuseSteps, type Step, singleSteps } from './fuse-steps.ts';
import {
  type Architecture,
  allTensors,
  batchCounters,
  batchNormEpsilon,
  inputValue,
  type Layer,
  tensorsOf,
} from './layers.ts';

/** BatchNorm of the official models, in PyTorch's convention: running = 0.1 · running + 0.9 · batch. */
const batchNormMomentum = 0.9;

/** How a forward pass behaves. */
export type Mode =
  | { readonly training: false }
  | {
      readonly training: true;
      /** Share of channels that the dropout before the linear layer zeroes. @default 0.4 */
      readonly dropout?: number;
      /** Random numbers for dropout. */
      readonly generator: Generator;
      /** Position of these rows in the batch, so that dropout draws for the whole and ranks agree. @default all of it */
      readonly share?: Share;
      /** The ranks that share BatchNorm's statistics. @default this process alone */
      readonly group?: ProcessGroup;
    };

/** A network with its tensors. Made by {@link createNetwork}. */
export class Network {
  readonly architecture: Architecture;
  /** All tensors by PyTorch's names, learned ones and running statistics, in PyTorch's order. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** How many batches the BatchNorm layers have seen: PyTorch's `num_batches_tracked`, the same for all. */
  batches = 0;
  /** Whether BatchNorm is fused with the next layer; results differ only by rounding. @default true */
  isFused = true;
  readonly #fused: readonly Step[];
  readonly #single: readonly Step[];

  /** @internal */
  constructor(architecture: Architecture, tensors: ReadonlyMap<string, Tensor>) {
    this.architecture = architecture;
    this.tensors = tensors;
    this.#fused = fuseSteps(architecture.layers);
    this.#single = singleSteps(architecture.layers);
  }

  /** The learned tensors by name. */
  get parameters(): ReadonlyMap<string, Tensor> {
    return new Map([...this.tensors].filter(([, tensor]) => tensor.requiresGrad));
  }

  /**
   * @param images - (N, 3, 112, 112) float32, BGR, x / 255
   * @returns (N, D) float32: the features, not normalized; the enclosing scope owns them
   */
  forward(images: Tensor, mode: Mode): Tensor {
    const steps = this.isFused ? this.#fused : this.#single;
    const lastUse = new Map(steps.flatMap(({ inputs }, i) => inputs.map((name) => [name, i] as const)));
    const values = new Map<string, Tensor>([[inputValue, images]]);
    let last = images;
    using pass = scope();
    for (const [i, step] of steps.entries()) {
      const inputs = step.inputs.map((name) => values.get(name)!);
      last = step.norm === undefined ? this.#run(step.layer, inputs, mode) : this.#runFused(step, inputs, mode);
      values.set(step.layer.output, last);
      // A value is freed after its last reader; autograd keeps what backward needs.
      for (const name of step.inputs) {
        if (lastUse.get(name) === i && name !== inputValue) values.get(name)!.dispose();
      }
    }
    if (mode.training) this.batches++;
    return pass.keep(last.to({ dtype: 'float32' }));
  }

  #run(layer: Layer, [x, y]: readonly Tensor[], mode: Mode): Tensor {
    const tensor = (suffix: string): Tensor => this.tensors.get(`${layer.name}.${suffix}`)!;
    if (x === undefined) throw new ShapeError(`Expected the layer ${layer.name} to have an input but it has none.`);
    switch (layer.kind) {
      case 'conv': {
        const { stride, padding, groups } = layer;
        return convolution(x, tensor('weight'), { stride, padding, groups });
      }
      case 'batchNorm': {
        const group = mode.training ? mode.group : undefined;
        return batchNorm(x, { ...this.#partsOf(layer), training: mode.training, group, isFused: this.isFused });
      }
      case 'prelu': {
        const slope = tensor('weight');
        return x.prelu(slope.dtype === x.dtype ? slope : slope.to({ dtype: x.dtype }));
      }
      case 'clamp':
        return x.clamp({ min: 0, max: Number.isFinite(layer.highest) ? layer.highest : null });
      case 'add':
        return x.add(y!);
      case 'channelDropout':
        return mode.training ? channelDropout(x, mode) : alias(x);
      case 'flatten':
        return x.contiguous().flatten({ startDim: 1 });
      case 'linear':
        return x.linear(tensor('weight'), { bias: tensor('bias') });
    }
  }

  /** Runs BatchNorm with the PReLU or sum after it. */
  #runFused({ layer, norm }: Step, [x, residual]: readonly Tensor[], mode: Mode): Tensor {
    const slope = layer.kind === 'prelu' ? this.tensors.get(`${layer.name}.weight`) : undefined;
    const { training } = mode;
    const group = mode.training ? mode.group : undefined;
    return batchNorm(x!, { ...this.#partsOf(norm!), training, slope, residual, group, isFused: true });
  }

  /** A BatchNorm's parameters and statistics. */
  #partsOf({ name, epsilon = batchNormEpsilon }: BatchNormLayer): Omit<FusedBatchNormOptions, 'training'> {
    const [weight, bias, runningMean, runningVariance] = ['weight', 'bias', 'running_mean', 'running_var'].map(
      (suffix) => this.tensors.get(`${name}.${suffix}`)!,
    ) as [Tensor, Tensor, Tensor, Tensor];
    return { weight, bias, runningMean, runningVariance, momentum: batchNormMomentum, epsilon };
  }
}

/** The same values under a new handle, since the interpreter frees a layer's input and output separately. */
export const alias = (x: Tensor): Tensor => x.reshape(x.shape);

/** Zeroes whole channels with this probability and scales the others to preserve the mean. */
function channelDropout(x: Tensor, { dropout: rate = 0.4, generator, share }: Mode & { training: true }): Tensor {
  if (rate === 0) return alias(x);
  const { first, count, total } = share ?? { first: 0, count: x.size(0), total: x.size(0) };
  const whole = zeros([total, x.size(1), 1, 1]).bernoulli_({ p: 1 - rate, generator });
  const mask = whole.narrow(0, first, count);
  return x.mul(mask.div_(1 - rate).to({ dtype: x.dtype, device: x.device }));
}

/** Values for a network's tensors by name, such as a checkpoint's. */
export type StateValues = ReadonlyMap<string, Float32Array>;

/**
 * @param start - a seed for the official initialisation, or values for every tensor
 * @throws {ShapeError} naming a tensor that is missing or of another size
 */
export function createNetwork(
  architecture: Architecture,
  start: number | StateValues,
  device: Device = 'cpu',
): Network {
  using all = scope();
  using _ = noGrad();
  const generator = new Generator(typeof start === 'number' ? start : 0);
  const tensors = new Map<string, Tensor>();
  for (const layer of architecture.layers) {
    for (const { name, shape, trainable } of tensorsOf(layer)) {
      const tensor =
        typeof start === 'number' ? initialised(layer, name, shape, generator) : valuesOf(start, name, shape).clone();
      const placed = all.keep(device === 'cpu' ? tensor : tensor.to({ device }));
      placed.requiresGrad = trainable;
      tensors.set(name, placed);
    }
  }
  return new Network(architecture, tensors);
}

/** Number of tensors in PyTorch's state_dict of it. */
export function stateDictSize(architecture: Architecture): number {
  return allTensors(architecture).length + batchCounters(architecture).length;
}

/** The official start: Kaiming-normal convolutions (fan out), PyTorch's own for the rest. */
function initialised(layer: Layer, name: string, shape: readonly number[], generator: Generator): Tensor {
  const tensor = zeros(shape);
  switch (layer.kind) {
    case 'conv':
      return tensor.normal_({ std: Math.sqrt(2 / (layer.outChannels * layer.kernel ** 2)), generator });
    case 'linear': {
      const bound = 1 / Math.sqrt(layer.inFeatures);
      return tensor.uniform_({ from: -bound, to: bound, generator });
    }
    case 'prelu':
      return tensor.fill_(0.25);
    default:
      return name.endsWith('.weight') || name.endsWith('.running_var') ? tensor.fill_(1) : tensor;
  }
}

function valuesOf(values: StateValues, name: string, shape: readonly number[]): Tensor {
  const array = values.get(name);
  const count = shape.reduce((product, size) => product * size, 1);
  if (array?.length === count) return fromArray(array, shape);
  const received = array === undefined ? 'there is none' : `it has ${array.length} values`;
  throw new ShapeError(`Expected a tensor ${name} of shape (${shape.join(', ')}) but ${received}.`);
}
