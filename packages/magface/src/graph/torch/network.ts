/** Runs a network with libtorch and gradients: one described by graph/networks, or one that any framework exported. */
import { type Device, fromArray, Generator, noGrad, scope, type Tensor, zeros } from '@magface/torch';
import { ShapeError } from '../../errors.ts';
import { type Architecture, inputValue, type TensorSpec, type Weights } from '../networks/builder.ts';
import { neededNodes } from '../nodes.ts';
import type { NodeProto } from '../onnx/onnx_pb.ts';
import { floatsOf, isFloat, tensorOf } from '../onnx/tensor.ts';
import { isLearning, type Pass } from './operators.ts';
import { type Step, stepsOf, type TranslatedNode } from './steps.ts';
import { numbersOf, translated } from './translate.ts';

/** A forward pass, over the whole network or from one value to another. */
export interface ForwardOptions extends Omit<Pass, 'isFused'> {
  /** Name of the first value. @default the network's input */
  readonly from?: string;
  /** Name of the last value. @default the embedding */
  readonly to?: string;
}

export interface NetworkParts {
  /** For messages. */
  readonly name: string;
  readonly device: Device;
  /** The nodes that the output needs, in order. */
  readonly nodes: readonly TranslatedNode[];
  /** Name of the only input. */
  readonly input: string;
  /** Name of the embedding. */
  readonly output: string;
  /** All tensors that the nodes read, by name. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Names of those that can be trained. */
  readonly trainable: ReadonlySet<string>;
  /** Numbers of the formula that nodes read as values, by name. @default none */
  readonly constants?: ReadonlyMap<string, Tensor>;
  readonly isFused: boolean;
}

/** A network with its tensors. Made by {@link createNetwork} and openGraph. */
export class Network {
  readonly name: string;
  readonly device: Device;
  readonly input: string;
  readonly output: string;
  /** The nodes in order, with their names, inputs and outputs. */
  readonly nodes: readonly NodeProto[];
  /** All tensors by name, learned ones and running statistics, in the order of the nodes or of PyTorch's state_dict. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Those that can be trained. */
  readonly weights: ReadonlyMap<string, Tensor>;
  /** How many batches the BatchNorm layers have seen: PyTorch's `num_batches_tracked`, the same for all. */
  batches = 0;
  /** Whether BatchNorm is fused with the next layer; results differ only by rounding. */
  isFused: boolean;
  readonly #nodes: readonly TranslatedNode[];
  readonly #constants: ReadonlyMap<string, Tensor>;
  readonly #steps = new Map<string, readonly Step[]>();

  /** @internal */
  constructor(parts: NetworkParts) {
    const { name, device, nodes, input, output, tensors, trainable, constants = new Map(), isFused } = parts;
    this.name = name;
    this.device = device;
    this.input = input;
    this.output = output;
    this.nodes = nodes.map(({ node }) => node);
    this.tensors = tensors;
    this.weights = new Map([...tensors].filter(([tensor]) => trainable.has(tensor)));
    this.isFused = isFused;
    this.#nodes = nodes;
    this.#constants = constants;
  }

  /** Running means and variances that training changes, by name. */
  get statistics(): ReadonlyMap<string, Tensor> {
    const names = this.nodes.filter(isLearning).flatMap(({ input }) => input.slice(3));
    return new Map(names.map((name) => [name, this.tensors.get(name)!]));
  }

  /**
   * @param value - the value `from`: for the whole network images, (N, 3, 112, 112) float32, BGR and x / 255 for one of
   * ours, by the model's contract for a file
   * @returns the value `to`: the features are (N, D) float32, not normalized; the enclosing scope owns it
   */
  forward(value: Tensor, options: ForwardOptions = {}): Tensor {
    const { from = this.input, to = this.output, ...behaviour } = options;
    const pass = { ...behaviour, isFused: this.isFused };
    using all = scope();
    const values = new Map([[from, value]]);
    for (const { reads, writes, run, frees } of this.#between(from, to)) {
      const inputs = reads.map((name) => values.get(name) ?? this.tensors.get(name) ?? this.#constants.get(name));
      values.set(writes, run(inputs, pass));
      // A value is freed after its last reader; autograd keeps what backward needs.
      for (const name of frees) {
        if (name === from) continue;
        values.get(name)?.dispose();
        values.delete(name);
      }
    }
    if (pass.training === true) this.batches++;
    const last = values.get(to)!;
    return all.keep(to === this.output ? last.to({ dtype: 'float32' }) : last);
  }

  /** The steps after `from` that `to` needs. */
  #between(from: string, to: string): readonly Step[] {
    const key = [from, to, this.isFused].join('\n');
    const known = this.#steps.get(key);
    if (known !== undefined) return known;
    const needed = new Set(neededNodes(this.nodes, to, from));
    const steps = stepsOf(
      this.#nodes.filter(({ node }) => needed.has(node)),
      this.isFused,
    );
    this.#steps.set(key, steps);
    return steps;
  }
}

/**
 * @param start - a seed for the official initialisation, or values for every tensor
 * @throws {ShapeError} naming a tensor that is missing or of another size
 */
export function createNetwork(architecture: Architecture, start: number | Weights, device: Device = 'cpu'): Network {
  using all = scope();
  using _ = noGrad();
  const { name, nodes, constants } = architecture;
  const generator = new Generator(typeof start === 'number' ? start : 0);
  const readers = new Map(nodes.flatMap((node) => node.input.slice(1).map((input) => [input, node] as const)));
  const shapes = new Map(architecture.tensors.map((spec) => [spec.name, spec.shape]));
  const random = ({ name: tensor, shape, start: own }: TensorSpec): Tensor => {
    if (typeof own === 'number') return zeros(shape).fill_(own);
    if (own !== undefined) return zeros(shape).normal_({ std: own.deviation, generator });
    const { opType, input } = readers.get(tensor)!;
    return initialised(tensor, shape, { opType, inFeatures: shapes.get(input[1]!)![1] ?? 1, generator });
  };
  const place = (value: Tensor): Tensor => all.keep(device === 'cpu' ? value : value.to({ device }));
  const tensors = new Map<string, Tensor>();
  for (const spec of architecture.tensors) {
    const value = typeof start === 'number' ? random(spec) : valuesOf(start, spec.name, spec.shape).clone();
    const placed = place(value);
    placed.requiresGrad = spec.trainable;
    tensors.set(spec.name, placed);
  }
  const numbers = constants.map((proto) => [proto.name, tensorOf(proto, name)] as const);
  const placed = numbers.flatMap(([constant, tensor]) =>
    isFloat(tensor) ? [[constant, place(fromArray(floatsOf(tensor), tensor.dims).clone())] as const] : [],
  );
  return new Network({
    name,
    device,
    nodes: translated(nodes, { name, opset: builtOpset, numbers: numbersOf(constants, name) }),
    input: inputValue,
    output: nodes.at(-1)!.output[0]!,
    tensors,
    trainable: new Set(architecture.tensors.filter((spec) => spec.trainable).map((spec) => spec.name)),
    constants: new Map(placed),
    isFused: true,
  });
}

/** The opset of graph/networks. */
const builtOpset = 17;

/** The official start: Kaiming-normal convolutions (fan out), PyTorch's own for the rest. */
function initialised(
  name: string,
  shape: readonly number[],
  layer: { readonly opType: string; readonly inFeatures: number; readonly generator: Generator },
): Tensor {
  const { opType, inFeatures, generator } = layer;
  const tensor = zeros(shape);
  switch (opType) {
    case 'Conv':
      if (shape.length === 1) return tensor; // a bias
      return tensor.normal_({ std: Math.sqrt(2 / (shape[0]! * shape[2]! * shape[3]!)), generator });
    case 'Gemm': {
      const bound = 1 / Math.sqrt(inFeatures);
      return tensor.uniform_({ from: -bound, to: bound, generator });
    }
    case 'PRelu':
      return tensor.fill_(0.25);
    default:
      return name.endsWith('.weight') || name.endsWith('.running_var') ? tensor.fill_(1) : tensor;
  }
}

function valuesOf(values: Weights, name: string, shape: readonly number[]): Tensor {
  const array = values.get(name);
  const count = shape.reduce((product, size) => product * size, 1);
  if (array?.length === count) return fromArray(array, shape);
  const problem = array === undefined ? 'there is none' : `it has ${array.length} values`;
  throw new ShapeError({
    expected: `a tensor ${name} of shape (${shape.join(', ')})`,
    problem,
    remedy: 'pass the weights of this network',
  });
}
