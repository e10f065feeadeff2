/**
 * Runs a recogniser from an ONNX file with libtorch and gradients, so that exports of any framework can be trained further.
 * Only the nodes that the embedding needs are run; each value is freed after its last reader.
 */
import { type Device, fromArray, noGrad, type ProcessGroup, scope, type Tensor } from '@magface/torch';
import { ModelError } from '../../errors.ts';
import { makeReady, parseOnnx } from '../../onnx/file.ts';
import { constantsToInitializers, opsetOf } from '../../onnx/graph.ts';
import type { ModelProto, NodeProto } from '../../onnx/onnx_pb.ts';
import { floatsOf, integersOf, type OnnxTensor, tensorOf } from '../../onnx/tensor.ts';
import { type GraphOperator, operators, type StoredContext } from './operators.ts';

/** Operators that are layers of a network. */
export const layers: ReadonlySet<string> = new Set(['Conv', 'Gemm', 'MatMul']);

/** A part of the graph, from one value to another. */
export interface GraphPart {
  /** Name of the first value. @default the graph's input */
  readonly from?: string;
  /** Name of the last value. @default the embedding */
  readonly to?: string;
  /** Whether this is a training pass: fresh BatchNorms then use batch statistics. @default false */
  readonly training?: boolean;
  /** The group that shares these statistics. @default this process only */
  readonly group?: ProcessGroup;
}

/** One node, translated. */
interface Step {
  readonly node: NodeProto;
  readonly operator: GraphOperator;
  readonly context: StoredContext;
}

/** Made by {@link openGraph}. */
export class TrainableGraph {
  /** The file, with constants as initializers and a free batch size. */
  readonly model: ModelProto;
  /** As the caller named it, for messages. */
  readonly name: string;
  /** Device of the weights and computations. */
  readonly device: Device;
  /** The graph's only input. */
  readonly input: string;
  /** The value `embedding`, or else the first output. */
  readonly output: string;
  /** Trainable weights by their names in the file, in the order of the nodes. */
  readonly weights: ReadonlyMap<string, Tensor>;
  /** The nodes that the embedding needs, in order, with their names, inputs and outputs. */
  readonly steps: readonly Step[];
  /** Other tensors of the file, by name, such as running statistics of BatchNorm. */
  readonly fixed: ReadonlyMap<string, Tensor>;

  /** @internal */
  constructor(model: ModelProto, name: string, device: Device) {
    this.model = model;
    this.name = name;
    this.device = device;
    const graph = model.graph!;
    const stored = new Map(graph.initializer.map((proto) => [proto.name, tensorOf(proto, name)]));
    this.input = onlyInput(model, name, stored);
    this.output = (graph.output.find((value) => value.name === 'embedding') ?? graph.output[0]!).name;
    this.steps = translated(neededNodes(graph.node, this.output), { name, stored, opset: opsetOf(model.opsetImport) });
    using all = scope();
    using _ = noGrad();
    const first = this.steps.findIndex(({ node }) => layers.has(node.opType)); // earlier nodes preprocess pixels
    const learned = new Set(this.steps.slice(first).flatMap(({ node, operator }) => learnedInputs(node, operator)));
    const [weights, fixed] = [new Map<string, Tensor>(), new Map<string, Tensor>()];
    for (const input of this.steps.flatMap(({ node }) => node.input)) {
      const values = stored.get(input);
      if (values === undefined || weights.has(input) || fixed.has(input)) continue;
      const tensor = all.keep(fromArray(floatsOf(values), values.dims).clone().to({ device }));
      (learned.has(input) && isFloat(values) ? weights : fixed).set(input, tensor);
    }
    this.weights = weights;
    this.fixed = fixed;
  }

  /**
   * @param value - the value `part.from`: for the whole graph (N, 3, 112, 112) float32 by the model's contract
   * @returns the value `part.to`; the enclosing scope owns it
   */
  forward(value: Tensor, { from = this.input, to = this.output, training = false, group }: GraphPart = {}): Tensor {
    using pass = scope();
    const values = new Map([[from, value]]);
    const part = this.#between(from, to);
    const lastReader = new Map(part.flatMap(({ node }) => node.input.map((input) => [input, node] as const)));
    for (const { node, operator, context } of part) {
      const inputs = node.input.map((input) => values.get(input) ?? this.weights.get(input) ?? this.fixed.get(input));
      values.set(node.output[0]!, operator.run(inputs, { ...context, training, group }));
      for (const input of node.input) {
        if (lastReader.get(input) !== node || input === from) continue;
        values.get(input)?.dispose();
        values.delete(input);
      }
    }
    return pass.keep(values.get(to)!);
  }

  /** The nodes after `from` that `to` needs. */
  #between(from: string, to: string): readonly Step[] {
    const wanted = new Set([to]);
    const part: Step[] = [];
    for (const step of this.steps.toReversed()) {
      const output = step.node.output[0]!;
      if (!wanted.has(output) || output === from) continue;
      part.push(step);
      for (const input of step.node.input) wanted.add(input);
    }
    return part.reverse();
  }
}

/**
 * @param bytes - an ONNX file; a batch size fixed at 1 is made free if nothing in the file needs it
 * @param name - for messages
 * @throws {ModelError} `model_not_onnx`; `model_untrainable` naming every operator that has no translation
 */
export function openGraph(bytes: Uint8Array, name: string, device: Device = 'cpu'): TrainableGraph {
  const model = parseOnnx(bytes, name);
  makeReady(model, name);
  constantsToInitializers(model.graph!, name);
  return new TrainableGraph(model, name, device);
}

function translated(
  nodes: readonly NodeProto[],
  {
    name,
    stored,
    opset,
  }: { readonly name: string; readonly stored: ReadonlyMap<string, OnnxTensor>; readonly opset: number },
): Step[] {
  const lacking = new Set<string>();
  const steps = nodes.map((node): Step => {
    const numbers = (input: number): readonly number[] | undefined => {
      const values = stored.get(node.input[input] ?? '');
      return values && (isFloat(values) ? [...floatsOf(values)] : integersOf(values));
    };
    const context: StoredContext = { node, opset, numbers };
    const operator = node.domain === '' || node.domain === 'ai.onnx' ? operators[node.opType] : undefined;
    if (operator === undefined) lacking.add(node.domain === '' ? node.opType : `${node.domain}.${node.opType}`);
    const lacks = operator?.lacks?.(context);
    if (lacks !== undefined) lacking.add(`${node.opType} with ${lacks}`);
    return { node, operator: operator!, context };
  });
  if (lacking.size === 0) return steps;
  const message = `Expected operators that can be trained in ${name} but it has ${[...lacking].sort().join(', ')}: export it for evaluation with constants folded, or train one of the architectures of --arch.`;
  throw new ModelError('model_untrainable', name, message);
}

/** Searches from the embedding back to the input. */
function neededNodes(nodes: readonly NodeProto[], output: string): NodeProto[] {
  const wanted = new Set([output]);
  const needed = nodes.toReversed().filter((node) => {
    const isWanted = node.output.some((value) => wanted.has(value));
    if (isWanted) for (const input of node.input) wanted.add(input);
    return isWanted;
  });
  return needed.reverse();
}

const learnedInputs = (node: NodeProto, { learned = [] }: GraphOperator): string[] =>
  learned.map((input) => node.input[input] ?? '').filter((input) => input !== '');

const isFloat = ({ dtype }: OnnxTensor): boolean => dtype.startsWith('float') || dtype === 'bfloat16';

function onlyInput({ graph }: ModelProto, name: string, stored: ReadonlyMap<string, OnnxTensor>): string {
  const inputs = graph!.input.map((value) => value.name).filter((input) => !stored.has(input));
  if (inputs.length === 1) return inputs[0]!;
  const message = `Expected a recogniser with one input but ${name} has ${inputs.length}: export the network that takes faces alone.`;
  throw new ModelError('model_untrainable', name, message);
}
