/**
 * BatchNorm for a network that had its own folded into its convolutions on export: a node after each trained convolution
 * that trains with batch statistics, initially changes nothing, and is folded again at the end.
 */
import { clone, toBinary } from '@bufbuild/protobuf';
import { noGrad, scope, type Tensor } from '@magface/torch';
import { intAttribute, newNode } from '../../onnx/graph.ts';
import { type ModelProto, ModelProtoSchema, type NodeProto } from '../../onnx/onnx_pb.ts';
import { floatTensor, halved, tensorProto } from '../../onnx/tensor.ts';
import { freshMark, isFresh } from './operators.ts';
import { openGraph, type TrainableGraph } from './trainable-graph.ts';

const half = 10; // TensorProto.DataType.FLOAT16

/** The default of ONNX and PyTorch. */
const epsilon = 1e-5;

/** Name of the convolution's value before the fresh node. */
const rawName = (output: string): string => `${output}.raw`;

/** Names of a fresh node's initializers, in the order of its inputs. */
const partsOf = (output: string): string[] =>
  ['scale', 'shift', 'mean', 'variance'].map((part) => `${output}.fresh.${part}`);

/**
 * @param trained - names of weights
 * @returns a graph with a BatchNorm after each convolution that has a trained weight and no BatchNorm yet
 */
export function insertBatchNorm(graph: TrainableGraph, trained: readonly string[]): TrainableGraph {
  const model = clone(ModelProtoSchema, graph.model);
  const { node: nodes, initializer } = model.graph!;
  const isNormed = (output: string): boolean =>
    nodes.some(({ opType, input }) => opType === 'BatchNormalization' && input[0] === output);
  model.graph!.node = nodes.flatMap((node) => {
    const output = node.output[0]!;
    if (node.opType !== 'Conv' || !trained.includes(node.input[1]!) || isNormed(output)) return [node];
    const weight = initializer.find(({ name }) => name === node.input[1])!;
    const channels = Number(weight.dims[0]!);
    const parts = partsOf(output);
    for (const [i, part] of parts.entries()) {
      const values = new Float32Array(channels).fill(i % 3 === 0 ? 1 : 0);
      initializer.push(tensorProto(part, floatTensor([channels], values)));
    }
    node.output = [rawName(output)];
    const norm = newNode('BatchNormalization', [rawName(output), ...parts], output, [intAttribute(freshMark, 1)]);
    norm.name = node.name;
    return [node, norm];
  });
  return openGraph(toBinary(ModelProtoSchema, model), graph.name, graph.device);
}

/** The nodes that {@link insertBatchNorm} added, in order. */
const freshNodes = ({ steps }: TrainableGraph): NodeProto[] => steps.map(({ node }) => node).filter(isFresh);

/** Running means and variances, by name: the state that a step changes besides the weights. */
export function freshStatistics(graph: TrainableGraph): Map<string, Tensor> {
  const names = freshNodes(graph).flatMap(({ input }) => input.slice(3));
  return new Map(names.map((name) => [name, graph.fixed.get(name)!]));
}

/**
 * Initialises each fresh node as an identity: its statistics are those of the batch, its scale and shift undo them.
 *
 * @param batch - (N, …): the value `from`
 * @param from - name of the batch's value; undefined for the input
 */
export function startBatchNorm(graph: TrainableGraph, batch: Tensor, from: string | undefined): void {
  for (const { input } of freshNodes(graph)) {
    using _scope = scope();
    using _ = noGrad();
    const [raw, scale, shift, mean, variance] = input as [string, string, string, string, string];
    const value = graph.forward(batch, from === undefined ? { to: raw } : { from, to: raw }); // (N, C, H, W)
    const means = value.meanDim([0, 2, 3]); // (C)
    const centered = value.sub(means.reshape([1, means.length, 1, 1]));
    const variances = centered.square().meanDim([0, 2, 3]);
    graph.fixed.get(mean)!.copy_(means);
    graph.fixed.get(variance)!.copy_(variances);
    graph.weights.get(shift)!.copy_(means);
    graph.weights.get(scale)!.copy_(variances.add(epsilon).sqrt());
  }
}

/**
 * Folds the fresh nodes into their convolutions, which then all have a bias.
 *
 * @param model - modified
 * @param values - weights and statistics by name; replaces those of the convolutions
 */
export function foldBatchNorm(model: ModelProto, values: Map<string, Float32Array>): void {
  const graph = model.graph!;
  const fresh = graph.node.filter(isFresh);
  for (const { input, output } of fresh) {
    const conv = graph.node.find((node) => node.output[0] === input[0])!;
    const [scale, shift, mean, variance] = input.slice(1).map((name) => values.get(name)!) as Float32Array[];
    const factor = Float64Array.from(scale!, (value, c) => value / Math.sqrt(variance![c]! + epsilon));
    const weight = values.get(conv.input[1]!)!;
    const row = weight.length / factor.length;
    values.set(
      conv.input[1]!,
      weight.map((value, i) => value * factor[Math.floor(i / row)]!),
    );
    const given = conv.input[2] ?? '';
    const old = values.get(given);
    const bias = given === '' ? `${output[0]}.fresh.bias` : given;
    values.set(
      bias,
      Float32Array.from(factor, (value, c) => ((old?.[c] ?? 0) - mean![c]!) * value + shift![c]!),
    );
    if (given === '') {
      const tensor = floatTensor([factor.length], values.get(bias)!);
      const isHalf = graph.initializer.find(({ name }) => name === conv.input[1])!.dataType === half;
      graph.initializer.push(tensorProto(bias, isHalf ? halved(tensor) : tensor));
    }
    conv.input[2] = bias;
    conv.output = output;
  }
  const parts = new Set(fresh.flatMap(({ input }) => input.slice(1)));
  graph.node = graph.node.filter((node) => !isFresh(node));
  graph.initializer = graph.initializer.filter(({ name }) => !parts.has(name));
}
