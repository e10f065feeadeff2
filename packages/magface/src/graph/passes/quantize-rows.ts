/** Rounds a layer's weights to 8 bits, with a scale for each output channel. */
import { outputAxis } from '../nodes.ts';
import type { NodeProto } from '../onnx/onnx_pb.ts';
import type { OnnxTensor } from '../onnx/tensor.ts';

/** The output channels of a weight. */
export interface WeightRows {
  readonly count: number;
  /** The row of value i. */
  readonly of: (i: number) => number;
}

/** @param node - a Conv, Gemm or MatMul with this weight */
export function rowsOf(node: NodeProto, { dims, data }: OnnxTensor): WeightRows {
  const axis = outputAxis(node);
  const count = dims[axis]!;
  const length = data.length / count;
  return { count, of: axis === 0 ? (i) => Math.floor(i / length) : (i) => i % count };
}

/** @param least - smallest scale of a row. @default 0 */
export function quantizeRows(
  weight: Float32Array,
  rows: WeightRows,
  least: (row: number) => number = () => 0,
): { readonly scales: Float32Array; readonly values: Int8Array } {
  const scales = new Float32Array(rows.count);
  weight.forEach((value, i) => {
    scales[rows.of(i)] = Math.max(scales[rows.of(i)]!, Math.abs(value) / 127);
  });
  const negligible = scales.reduce((most, scale) => Math.max(most, scale), 0) * 2 ** -50;
  scales.forEach((scale, row) => {
    const needed = Math.max(scale, least(row));
    scales[row] = needed > negligible ? needed : 1; // dead channel; numbers below 2^-126 are a hundred times slower
  });
  return { scales, values: Int8Array.from(weight, (value, i) => Math.round(value / scales[rows.of(i)]!)) };
}
