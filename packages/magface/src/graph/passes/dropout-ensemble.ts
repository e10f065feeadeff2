/**
 * Turns a recogniser into an ensemble by dropout before its last linear layer, as SER-FIQ uses it: one run of the network
 * gives the embeddings of many random subsets of the features that the last layer reads.
 *
 * @see Terhörst et al., SER-FIQ, CVPR 2020, arXiv 2003.09373
 */
import { randomStream } from '../../random.ts';
import { dropUnread, embeddingOf, type GraphIndex, indexGraph, intOf, neededNodes, newNode } from '../nodes.ts';
import type { GraphProto, ModelProto, NodeProto } from '../onnx/onnx_pb.ts';
import { floatsOf, floatTensor, type OnnxTensor } from '../onnx/tensor.ts';
import { branchLength } from './length-branch.ts';
import { simplify } from './simplify.ts';

export interface DropoutOptions {
  /** K: number of subsets. @default 100, as in the paper */
  readonly passes?: number;
  /** Share of features that each subset lacks. @default 0.5, as in the paper */
  readonly rate?: number;
  /** @default 1 */
  readonly seed?: number;
}

/**
 * Changes the model in place: its embedding becomes (N, K · D), the K embeddings of each face in a row, as the layer gives them:
 * without the length of a branch.
 *
 * @returns false if it does not end in a linear layer with stored weights; the model is then simplified, no more
 */
export function dropoutEnsemble(model: ModelProto, file: string, options: DropoutOptions = {}): boolean {
  const { passes = 100, rate = 0.5, seed = 1 } = options;
  simplify(model, file);
  const graph = model.graph!;
  const index = indexGraph(graph, file);
  const output = embeddingOf(graph);
  const layer = lastLayer(output, index);
  const weight = layer && columnsOf(layer, index);
  if (layer === undefined || weight === undefined) return false;
  const [features = 0, length = 0] = weight.dims; // (C, D)
  const random = randomStream(seed);
  const masks = Float32Array.from({ length: passes * features }, () => (random() < rate ? 0 : 1 / (1 - rate)));
  const store = (part: string, tensor: OnnxTensor): string => index.store(`${output}.dropout.${part}`, tensor);
  const whole = (...values: number[]): OnnxTensor => ({
    dims: [values.length],
    dtype: 'int64',
    data: BigInt64Array.from(values, BigInt),
  });
  const bias = layer.input[2] ? index.constant(layer.input[2]) : undefined;
  const value = (part: string): string => `${output}.dropout.${part}`;
  const front = neededNodes(graph.node, layer.input[0]!);
  graph.node = [
    ...front,
    newNode('Reshape', [layer.input[0]!, store('rows', whole(0, 1, features))], value('features')),
    newNode('Mul', [value('features'), store('masks', floatTensor([1, passes, features], masks))], value('subsets')),
    newNode('MatMul', [value('subsets'), store('weight', weight)], value('product')),
    newNode('Add', [value('product'), store('bias', bias ?? floatTensor([1], Float32Array.of(0)))], value('each')),
    newNode('Reshape', [value('each'), store('flat', whole(0, passes * length))], output),
  ];
  keepOutput(graph, output);
  dropUnread(graph);
  return true;
}

/** Follows the embedding back, through nodes that leave its direction as it is, to the layer that computes it. */
function lastLayer(value: string, index: GraphIndex): NodeProto | undefined {
  const node = index.producer.get(value);
  if (node === undefined) return undefined;
  if (keepsDirection(node, index)) return lastLayer(node.input[0]!, index);
  return node.opType === 'Conv' || node.opType === 'Gemm' ? node : undefined;
}

/** Another shape, division by its own length, or a length from {@link addLengthBranch}: SER-FIQ compares directions alone. */
function keepsDirection({ opType, input }: NodeProto, { producer }: GraphIndex): boolean {
  if (opType === 'Div') return producer.get(input[1]!)?.opType === 'ReduceL2';
  if (opType === 'Mul') return input[1] === branchLength;
  return ['Reshape', 'Flatten', 'Squeeze', 'Identity', 'LpNormalization'].includes(opType);
}

/** The layer's weight as (C, D); undefined unless it is one linear layer over all of its input. */
function columnsOf(layer: NodeProto, index: GraphIndex): OnnxTensor | undefined {
  const weight = index.constant(layer.input[1]);
  if (weight === undefined || intOf(layer, 'group', 1) !== 1 || intOf(layer, 'transA', 0) === 1) return undefined;
  const values = floatsOf(weight);
  if (layer.opType === 'Gemm' && intOf(layer, 'transB', 0) === 0) return floatTensor(weight.dims, values);
  const length = weight.dims[0]!;
  const features = values.length / length;
  const columns = Float32Array.from(values, (_, i) => values[(i % length) * features + Math.floor(i / length)]!);
  return floatTensor([features, length], columns);
}

/** The file's other outputs, such as the magnitude, do not exist for an ensemble. */
function keepOutput(graph: GraphProto, output: string): void {
  graph.output = graph.output.filter(({ name }) => name === output);
  const tensor = graph.output[0]?.type?.tensorType;
  if (tensor !== undefined) delete tensor.shape;
  graph.valueInfo = [];
}
