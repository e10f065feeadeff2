/** Damages the weights of a network a little, in place, to see how far that moves its results. */
import { indexGraph, intOf } from '../nodes.ts';
import type { GraphProto, NodeProto } from '../onnx/onnx_pb.ts';
import { floatsOf, floatTensor, halved, type OnnxTensor } from '../onnx/tensor.ts';

/**
 * Zeroes the weights of least magnitude in each layer: unstructured L1 pruning.
 *
 * @param share - of each layer's weights, 0 to 1
 */
export function pruneWeights(graph: GraphProto, share: number, file: string): void {
  changeWeights(graph, file, (values) => {
    const sizes = values.map(Math.abs).sort();
    const limit = sizes[Math.floor(share * sizes.length)] ?? Number.POSITIVE_INFINITY;
    return values.map((value) => (Math.abs(value) < limit ? 0 : value));
  });
}

/** Rounds the weights to 8 bits, with a scale for each output channel. */
export function roundWeights(graph: GraphProto, file: string): void {
  changeWeights(graph, file, (values, rowOf, rows) => {
    const scales = new Float32Array(rows);
    values.forEach((value, i) => {
      scales[rowOf(i)] = Math.max(scales[rowOf(i)]!, Math.abs(value) / 127);
    });
    return values.map((value, i) => Math.round(value / (scales[rowOf(i)]! || 1)) * scales[rowOf(i)]!);
  });
}

type Change = (values: Float32Array, rowOf: (i: number) => number, rows: number) => Float32Array;

/** Changes the stored weights of every Conv, Gemm and MatMul once. */
function changeWeights(graph: GraphProto, file: string, change: Change): void {
  const { constant, store } = indexGraph(graph, file);
  const changed = new Set<string>();
  for (const node of graph.node) {
    const name = node.input[1] ?? '';
    const weight = ['Conv', 'Gemm', 'MatMul'].includes(node.opType) && !changed.has(name) ? constant(name) : undefined;
    if (weight === undefined || weight.dims.length < 2) continue;
    changed.add(name);
    const rows = weight.dims[rowAxis(node)]!;
    const length = weight.data.length / rows;
    const rowOf = (i: number): number => (rowAxis(node) === 0 ? Math.floor(i / length) : i % rows);
    store(name, alike(weight, change(floatsOf(weight), rowOf, rows)));
  }
}

/** The axis of a weight's output channels. */
const rowAxis = (node: NodeProto): 0 | 1 => (node.opType === 'Conv' || intOf(node, 'transB', 0) === 1 ? 0 : 1);

const alike = ({ dims, dtype }: OnnxTensor, values: Float32Array): OnnxTensor =>
  dtype === 'float16' ? halved(floatTensor(dims, values)) : floatTensor(dims, values);
