/**
 * Equalizes the channel ranges of an activation, so that one int8 scale fits them all. A convolution, a homogeneous
 * activation (PRelu, Relu) and the next convolution compute the same if channel c between them is divided by s_c and
 * the next convolution's weights for it are multiplied by s_c:
 *
 *     depthwise next   s_c = a_c              its rows have their own scales: this costs nothing
 *     any other        s_c = √(a_c / w_c)     the weights take half of the range
 *
 * where a_c is the channel's largest magnitude on faces and w_c the largest weight that reads it.
 *
 * @see Nagel et al., Data-Free Quantization, arXiv 1906.04721; Xiao et al., SmoothQuant, arXiv 2211.10438
 */
import { dropUnread, type GraphIndex, indexGraph, intOf } from '../nodes.ts';
import type { GraphProto, NodeProto } from '../onnx/onnx_pb.ts';
import { floatsOf, floatTensor, tensorProto } from '../onnx/tensor.ts';

/** Two convolutions with only an activation between them. */
interface Neighbours {
  readonly first: NodeProto;
  readonly next: NodeProto;
  readonly depthwise: boolean;
  readonly channels: number;
  /** The values before and after the activation. */
  readonly values: readonly string[];
}

/** Where a graph can be equalized. */
export interface EqualizationPlan {
  readonly pairs: readonly Neighbours[];
  /** (N, C, ...) values whose channels must be measured. */
  readonly values: readonly string[];
}

/** @param file - for messages */
export function planEqualization(graph: GraphProto, file: string): EqualizationPlan {
  const index = indexGraph(graph, file);
  const pairs = graph.node.flatMap((node) => neighboursOf(node, index) ?? []);
  return { pairs, values: pairs.flatMap(({ values }) => values) };
}

function neighboursOf(first: NodeProto, index: GraphIndex): Neighbours | undefined {
  if (first.opType !== 'Conv') return undefined;
  const values = [first.output[0]!];
  let next = onlyReader(values[0]!, index);
  if (next !== undefined && ['PRelu', 'Relu', 'LeakyRelu'].includes(next.opType)) {
    values.push(next.output[0]!);
    next = onlyReader(values[1]!, index);
  }
  if (next?.opType !== 'Conv' || next.input[0] !== values.at(-1)) return undefined;
  const [channels] = index.constant(first.input[1])?.dims ?? [];
  const [rows, columns] = index.constant(next.input[1])?.dims ?? [];
  const groups = intOf(next, 'group', 1);
  const depthwise = groups === channels && columns === 1 && rows === channels;
  const fits = channels !== undefined && (depthwise || (groups === 1 && columns === channels));
  const stored = !first.input[2] || index.constant(first.input[2]) !== undefined;
  return fits && stored ? { first, next, depthwise, channels, values } : undefined;
}

function onlyReader(value: string, index: GraphIndex): NodeProto | undefined {
  const readers = index.readers.get(value) ?? [];
  return readers.length === 1 && !index.outputs.has(value) ? readers[0] : undefined;
}

/**
 * Changes the graph in place; its results stay the same.
 *
 * @param maxima - (C) the largest magnitude of each channel, by value
 */
export function equalize(
  graph: GraphProto,
  { pairs }: EqualizationPlan,
  maxima: ReadonlyMap<string, Float32Array>,
): void {
  const weights = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]));
  const index = indexGraph(graph, graph.name);
  const current = new Map<string, { readonly dims: readonly number[]; readonly values: Float32Array }>();
  const read = (node: NodeProto, i: number) => {
    const key = `${node.output[0]}.equal.${i}`;
    const known = current.get(key);
    if (known !== undefined) return known;
    const tensor = index.constant(node.input[i])!;
    const own = { dims: tensor.dims, values: floatsOf(tensor).slice() };
    current.set(key, own);
    return own;
  };
  for (const { first, next, depthwise, channels, values } of pairs) {
    const sizes = Float64Array.from({ length: channels }, (_, c) =>
      Math.max(...values.map((value) => maxima.get(value)?.[c] ?? 0)),
    );
    const [own, bias] = [read(first, 1), first.input[2] ? read(first, 2) : undefined];
    const following = read(next, 1);
    const window = following.values.length / (following.dims[0]! * following.dims[1]!);
    const channelOf = (i: number): number => Math.floor(i / window) % channels;
    const scales = channelScales(sizes, depthwise ? undefined : largest(following.values, channelOf, channels));
    const row = own.values.length / channels;
    own.values.forEach((value, i) => {
      own.values[i] = value / scales[Math.floor(i / row)]!;
    });
    bias?.values.forEach((value, c) => {
      bias.values[c] = value / scales[c]!;
    });
    following.values.forEach((value, i) => {
      following.values[i] = value * scales[channelOf(i)]!;
    });
  }
  for (const node of graph.node) {
    node.input = node.input.map((name, i) => {
      const key = `${node.output[0]}.equal.${i}`;
      const changed = current.get(key);
      if (changed === undefined || !weights.has(name)) return name;
      graph.initializer.push(tensorProto(key, floatTensor(changed.dims, changed.values)));
      return key;
    });
  }
  dropUnread(graph);
}

function largest(values: Float32Array, channelOf: (i: number) => number, channels: number): Float64Array {
  const result = new Float64Array(channels);
  values.forEach((value, i) => {
    result[channelOf(i)] = Math.max(result[channelOf(i)]!, Math.abs(value));
  });
  return result;
}

/** Dead channels keep their scale; the other scales have a geometric mean of 1. */
function channelScales(sizes: Float64Array, weights: Float64Array | undefined): Float64Array {
  const scales = sizes.map((size, c) => (weights === undefined ? size : Math.sqrt(size / weights[c]!)));
  const logs = [...scales].filter((scale) => scale > 1e-6 && scale < 1e6).map(Math.log);
  const mean = Math.exp(logs.reduce((sum, log) => sum + log, 0) / Math.max(1, logs.length));
  return scales.map((scale) => (scale > 1e-6 && scale < 1e6 ? scale / mean : 1));
}
