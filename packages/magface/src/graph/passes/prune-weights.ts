/** Damages the weights of a network a little, in place, to see how far that moves its results. */
import { indexGraph } from '../nodes.ts';
import type { GraphProto } from '../onnx/onnx_pb.ts';
import { floatsOf, floatTensor, halved, type OnnxTensor } from '../onnx/tensor.ts';
import { quantizeRows, rowsOf, type WeightRows } from './quantize-rows.ts';

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
  changeWeights(graph, file, (weight, rows) => {
    const { scales, values } = quantizeRows(weight, rows);
    return Float32Array.from(values, (value, i) => value * scales[rows.of(i)]!);
  });
}

type Change = (values: Float32Array, rows: WeightRows) => Float32Array;

/** Changes the stored weights of every Conv, Gemm and MatMul once. */
function changeWeights(graph: GraphProto, file: string, change: Change): void {
  const { constant, store } = indexGraph(graph, file);
  const changed = new Set<string>();
  for (const node of graph.node) {
    const name = node.input[1] ?? '';
    const weight = ['Conv', 'Gemm', 'MatMul'].includes(node.opType) && !changed.has(name) ? constant(name) : undefined;
    if (weight === undefined || weight.dims.length < 2) continue;
    changed.add(name);
    store(name, alike(weight, change(floatsOf(weight), rowsOf(node, weight))));
  }
}

const alike = ({ dims, dtype }: OnnxTensor, values: Float32Array): OnnxTensor =>
  dtype === 'float16' ? halved(floatTensor(dims, values)) : floatTensor(dims, values);
