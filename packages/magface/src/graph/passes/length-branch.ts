/**
 * Gives a recogniser a branch that computes the length of its embedding, and leaves the direction as it was:
 *
 *     length = clip(b + a · ‖f‖ + Σ_t w_t · mean over pixels of t),   embedding = length · f / ‖f‖
 *
 * t are feature maps of the network, f is its embedding before. The branch is linear in ‖f‖ and t, so that it can be fitted in
 * closed form.
 */
import { create } from '@bufbuild/protobuf';
import {
  embeddingOf,
  floatAttribute,
  type GraphIndex,
  indexGraph,
  intAttribute,
  intsAttribute,
  newNode,
  opsetOf,
  sortNodes,
} from '../nodes.ts';
import { type ModelProto, type NodeProto, ValueInfoProtoSchema } from '../onnx/onnx_pb.ts';
import { floatTensor, type OnnxTensor } from '../onnx/tensor.ts';

/** A fitted branch. */
export interface LengthBranch {
  /** Names of feature maps, (N, C, H, W), and the weight of each channel, (C). */
  readonly taps: readonly { readonly value: string; readonly weights: Float32Array }[];
  readonly bias: number;
  /** a: weight of the length that the embedding had. */
  readonly own: number;
  /** Shortest and longest length. */
  readonly limits: readonly [low: number, high: number];
}

/** Names of the branch's values and weights begin with this. */
export const lengthPrefix = 'length.';

/** Name of the length that the branch gives, (N, 1). */
export const branchLength = 'length';

const float = 1; // TensorProto.DataType.FLOAT

/** Operators that read feature maps. */
const mapReaders = new Set(['Conv', 'BatchNormalization', 'Flatten', 'Reshape', 'GlobalAveragePool', 'AveragePool']);

/** @returns names of computed values that layers read, in the order of the nodes: candidates for {@link chooseTaps} */
export function mapsOf(model: ModelProto, file: string): string[] {
  const { producer } = indexGraph(model.graph!, file);
  const read = model.graph!.node.filter(({ opType }) => mapReaders.has(opType)).map(({ input }) => input[0]!);
  return [...new Set(read)].filter((name) => producer.has(name));
}

/** More taps than these add columns to the fit, and little that the others do not tell. */
const mostTaps = 16;

/**
 * The results of the network's blocks and its last map: what is known of a face at each depth. The result of a block is a sum with its
 * shortcut, or begins the next shortcut. Of a deep network every second one, or fewer.
 *
 * @param maps - names of {@link mapsOf} that are feature maps, in the order of the nodes
 * @returns 1 to 16 names; none if the network has no maps
 */
export function chooseTaps({ graph }: ModelProto, maps: readonly string[], file: string): string[] {
  const { producer, readers } = indexGraph(graph!, file);
  const isResult = (map: string): boolean => producer.get(map)!.opType === 'Add' || readers.get(map)!.length > 1;
  const found = maps.filter((map, i) => i === maps.length - 1 || isResult(map));
  const step = Math.ceil(found.length / mostTaps);
  return found.filter((_, i) => (found.length - 1 - i) % step === 0);
}

/** Adds an output. Its shape is left to the runtime. */
export function addOutput({ graph }: ModelProto, name: string): void {
  graph!.output.push(create(ValueInfoProtoSchema, { name, type: { tensorType: { elemType: float } } }));
}

/** Adds the output `pooled`, (N, ΣC): the means of the taps, side by side. Changes the model in place. */
export function addPooled(model: ModelProto, taps: readonly string[]): void {
  const means = taps.map((tap) => `pooled.${tap}`);
  model.graph!.node.push(
    ...taps.map((tap, i) => newNode('GlobalAveragePool', [tap], means[i]!)),
    newNode('Concat', means, 'pooled.maps', [intAttribute('axis', 1)]),
    newNode('Flatten', ['pooled.maps'], 'pooled', [intAttribute('axis', 1)]),
  );
  addOutput(model, 'pooled');
}

/** Adds the branch. Changes the model in place; its first output is then called `embedding`. */
export function addLengthBranch(model: ModelProto, branch: LengthBranch, file: string): void {
  const graph = model.graph!;
  const output = embeddingOf(graph);
  const raw = 'length.embedding';
  for (const node of graph.node) node.output = node.output.map((name) => (name === output ? raw : name));
  const index = indexGraph(graph, file);
  for (const node of index.readers.get(output) ?? []) {
    node.input = node.input.map((name) => (name === output ? 'embedding' : name));
  }
  for (const value of graph.output) if (value.name === output) value.name = 'embedding';
  const own = index.store('length.own_weight', floatTensor([1], Float32Array.of(branch.own)));
  graph.node.push(
    ...predictionNodes(branch, index),
    normNode(raw, 'length.norm', { index, opset: opsetOf(model.opsetImport) }),
    newNode('Mul', ['length.norm', own], 'length.own'),
    newNode('Add', ['length.own', 'length.maps'], 'length.predicted'), // (N, 1)
    clipNode('length.predicted', branchLength, { limits: branch.limits, index, opset: opsetOf(model.opsetImport) }),
    newNode('Div', [raw, 'length.norm'], 'length.direction'),
    newNode('Mul', ['length.direction', branchLength], 'embedding'),
  );
  sortNodes(graph);
}

/** `length.maps`, (N, 1): the bias and the sum over taps of a 1x1 convolution of their means. */
function predictionNodes({ taps, bias }: LengthBranch, index: GraphIndex): NodeProto[] {
  const nodes: NodeProto[] = [];
  let sum = '';
  for (const [i, { value, weights }] of taps.entries()) {
    const [mean, part] = [`length.mean${i}`, `length.part${i}`];
    const weight = index.store(`length.weight${i}`, floatTensor([1, weights.length, 1, 1], weights));
    const shift = i === 0 ? [index.store('length.bias', floatTensor([1], Float32Array.of(bias)))] : [];
    nodes.push(newNode('GlobalAveragePool', [value], mean), convolution([mean, weight, ...shift], part));
    if (i > 0) nodes.push(newNode('Add', [sum, part], `length.sum${i}`));
    sum = i > 0 ? `length.sum${i}` : part;
  }
  nodes.push(newNode('Flatten', [sum], 'length.maps', [intAttribute('axis', 1)]));
  return nodes;
}

const convolution = (inputs: readonly string[], output: string): NodeProto =>
  newNode('Conv', inputs, output, [intsAttribute('kernel_shape', [1, 1])]);

interface Place {
  readonly index: GraphIndex;
  readonly opset: number;
}

/** Up to opset 10 the limits are attributes, then inputs. */
function clipNode(
  input: string,
  output: string,
  { limits: [low, high], index, opset }: Place & { readonly limits: readonly [number, number] },
): NodeProto {
  if (opset < 11) return newNode('Clip', [input], output, [floatAttribute('min', low), floatAttribute('max', high)]);
  const store = (part: string, value: number): string =>
    index.store(`length.${part}`, floatTensor([], Float32Array.of(value)));
  return newNode('Clip', [input, store('low', low), store('high', high)], output);
}

/** (N, 1): from opset 18 the axes are an input. */
function normNode(input: string, output: string, { index, opset }: Place): NodeProto {
  if (opset < 18)
    return newNode('ReduceL2', [input], output, [intsAttribute('axes', [1]), intAttribute('keepdims', 1)]);
  const axes: OnnxTensor = { dims: [1], dtype: 'int64', data: BigInt64Array.of(1n) };
  return newNode('ReduceL2', [input, index.store('length.axes', axes)], output, [intAttribute('keepdims', 1)]);
}
