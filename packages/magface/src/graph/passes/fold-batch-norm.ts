/**
 * Folds BatchNorm into the layers beside it. At inference it is x ↦ scale · x + shift for each channel, which goes
 *
 *     behind a Conv or Gemm                                    into its rows and its bias
 *     before a Gemm, with only Flatten and Dropout between     into its columns and its bias
 *
 * Before a convolution with zero padding it stays, since the border's zeros are not shifted.
 */
import { floatAttribute, floatOf, type GraphIndex, indexGraph, intOf } from '../nodes.ts';
import type { GraphProto, NodeProto } from '../onnx/onnx_pb.ts';
import { floatsOf, floatTensor, halved, type OnnxTensor } from '../onnx/tensor.ts';

/** A BatchNorm at inference, by channel. */
export interface Affine {
  readonly scale: Float64Array;
  readonly shift: Float64Array;
}

/** @returns undefined if the BatchNorm's parameters are not stored in the file */
export function affineOf(norm: NodeProto, { constant }: Pick<GraphIndex, 'constant'>): Affine | undefined {
  const stored = norm.input.slice(1).map(constant);
  if (stored.length < 4 || stored.includes(undefined)) return undefined;
  const [gamma, beta, mean, variance] = (stored as OnnxTensor[]).map(floatsOf) as [Float32Array, ...Float32Array[]];
  const epsilon = floatOf(norm, 'epsilon', 1e-5);
  const scale = Float64Array.from(gamma, (value, c) => value / Math.sqrt(variance![c]! + epsilon));
  return { scale, shift: Float64Array.from(beta!, (value, c) => value - mean![c]! * scale[c]!) };
}

/**
 * Changes the graph in place. A layer keeps the names of its weights; a bias that it gains has the name of BatchNorm's.
 *
 * @param isFolded - selects the BatchNorms @default all
 */
export function foldBatchNorm(graph: GraphProto, file: string, isFolded = (_: NodeProto): boolean => true): void {
  const index = indexGraph(graph, file);
  const folded = new Set<NodeProto>();
  for (const norm of graph.node) {
    if (norm.opType !== 'BatchNormalization' || !isFolded(norm)) continue;
    if (foldBackward(norm, index) || foldForward(norm, index)) folded.add(norm);
  }
  graph.node = graph.node.filter((node) => !folded.has(node));
}

/** Rewrites the BatchNorms that are left as scale and shift with mean 0 and variance 1, which suit any precision. */
export function settleBatchNorm(graph: GraphProto, file: string): void {
  const index = indexGraph(graph, file);
  for (const norm of graph.node) {
    const affine = norm.opType === 'BatchNormalization' ? affineOf(norm, index) : undefined;
    if (affine === undefined) continue;
    const [size, name] = [affine.scale.length, `${norm.output[0]}.settled`];
    const store = (part: string, values: Float32Array): string =>
      index.store(`${name}.${part}`, floatTensor([size], values));
    norm.input = [
      norm.input[0]!,
      store('scale', Float32Array.from(affine.scale)),
      store('shift', Float32Array.from(affine.shift)),
      store('zero', new Float32Array(size)),
      store('one', new Float32Array(size).fill(1)),
    ];
    norm.attribute = [floatAttribute('epsilon', 0)];
  }
}

/** Folds the norm into the layer before it, which then writes the norm's value. */
function foldBackward(norm: NodeProto, index: GraphIndex): boolean {
  const layer = index.producer.get(norm.input[0]!);
  const affine = affineOf(norm, index);
  const rows = layer && layerOf(layer, index);
  if (rows === undefined || affine === undefined || !isReadOnce(layer!.output[0]!, index)) return false;
  const { scale, shift } = affine;
  if (rows.outputs !== scale.length) return false;
  rows.change(
    (value, row) => value * scale[row]!,
    (bias, row) => bias * scale[row]! + shift[row]!,
    norm,
  );
  layer!.output = [norm.output[0]!];
  index.producer.set(norm.output[0]!, layer!);
  return true;
}

/** Folds the norm into the Gemm behind it, which then reads the norm's input. */
function foldForward(norm: NodeProto, index: GraphIndex): boolean {
  const affine = affineOf(norm, index);
  const gemm = gemmBehind(norm, index);
  const columns = gemm && layerOf(gemm, index);
  if (columns === undefined || affine === undefined) return false;
  const { scale, shift } = affine;
  const area = columns.inputs / scale.length; // pixels that each channel was flattened to
  if (!Number.isInteger(area)) return false;
  const sums = new Float64Array(columns.outputs);
  columns.change(
    (value, row, column) => {
      const channel = Math.floor(column / area);
      sums[row]! += value * shift[channel]!;
      return value * scale[channel]!;
    },
    (bias, row) => bias + sums[row]!,
    norm,
  );
  const [reader] = index.readers.get(norm.output[0]!)!;
  reader!.input = reader!.input.map((name) => (name === norm.output[0] ? norm.input[0]! : name));
  index.readers.set(norm.input[0]!, [...(index.readers.get(norm.input[0]!) ?? []), reader!]);
  return true;
}

/** Follows the only readers of a norm through Flatten and Dropout to a Gemm. */
function gemmBehind(node: NodeProto, index: GraphIndex): NodeProto | undefined {
  const output = node.output[0]!;
  const next = isReadOnce(output, index) ? index.readers.get(output)![0]! : undefined;
  if (next?.input[0] !== output) return undefined;
  if (next.opType === 'Gemm') return next;
  const isPassed = next.opType === 'Dropout' || (next.opType === 'Flatten' && intOf(next, 'axis', 1) === 1);
  return isPassed ? gemmBehind(next, index) : undefined;
}

const isReadOnce = (value: string, { readers, outputs }: GraphIndex): boolean =>
  readers.get(value)?.length === 1 && !outputs.has(value);

/** A Conv's or Gemm's weight as rows of outputs. */
interface LayerRows {
  readonly outputs: number;
  readonly inputs: number;
  /** Stores new weights and a new bias; `norm` names the bias that a layer without one gains. */
  change(
    weight: (value: number, row: number, column: number) => number,
    bias: (value: number, row: number) => number,
    norm: NodeProto,
  ): void;
}

/** @returns undefined for other nodes, for weights that are not stored, and for a Gemm that computes more than a linear layer */
function layerOf(node: NodeProto, index: GraphIndex): LayerRows | undefined {
  const isPlain = floatOf(node, 'alpha', 1) === 1 && floatOf(node, 'beta', 1) === 1 && intOf(node, 'transA', 0) === 0;
  if (node.opType !== 'Conv' && !(node.opType === 'Gemm' && isPlain)) return undefined;
  const weight = index.constant(node.input[1]);
  const bias = node.input[2] ? index.constant(node.input[2]) : undefined;
  const byColumns = node.opType === 'Gemm' && intOf(node, 'transB', 0) === 0; // (in, out)
  const outputs = weight?.dims[byColumns ? 1 : 0];
  if (weight === undefined || outputs === undefined || (node.input[2] && bias?.data.length !== outputs))
    return undefined;
  const inputs = weight.data.length / outputs;
  return {
    outputs,
    inputs,
    change: (changeWeight, changeBias, norm) => {
      const values = floatsOf(weight).slice();
      for (let row = 0; row < outputs; row++) {
        for (let column = 0; column < inputs; column++) {
          const at = byColumns ? column * outputs + row : row * inputs + column;
          values[at] = changeWeight(values[at]!, row, column);
        }
      }
      const old = bias && floatsOf(bias);
      const biases = Float32Array.from({ length: outputs }, (_, row) => changeBias(old?.[row] ?? 0, row));
      const store = (input: number, name: string, tensor: OnnxTensor): void => {
        const isShared = (index.readers.get(name)?.length ?? 0) > 1;
        const own = isShared ? `${norm.output[0]}.folded.${input}` : name;
        node.input[input] = index.store(own, weight.dtype === 'float16' ? halved(tensor) : tensor);
      };
      store(1, node.input[1]!, floatTensor(weight.dims, values));
      store(2, node.input[2] || norm.input[2]!, floatTensor([outputs], biases));
    },
  };
}
