/**
 * Removes negligible weights. Weight decay keeps shrinking dead channels, until the weights or their products are
 * subnormal: below 2^-126, where arithmetic takes a hundred times as long.
 */
import type { GraphProto } from '../onnx/onnx_pb.ts';
import { tensorOf, tensorProto } from '../onnx/tensor.ts';

/**
 * A fraction of the tensor's largest magnitude. A float32 sum resolves 2^-24 of its largest term, and this is 2^-26 of
 * that. The embeddings of the recogniser that shows the effect stay bit-identical.
 */
const negligible = 2 ** -50;

/**
 * Sets negligible weights to zero, in place.
 *
 * @returns the number of negligible weights
 */
export function zeroTinyWeights(graph: GraphProto, file: string): number {
  let found = 0;
  graph.initializer = graph.initializer.map((proto) => {
    if (proto.dataType !== 1 || proto.dims.length < 2) return proto; // small tensors may be constants of formulas
    const tensor = tensorOf(proto, file);
    const values = tensor.data as Float32Array;
    // Plain loops: callbacks for millions of weights took a tenth of the time to the first face.
    let largest = 0;
    for (let i = 0; i < values.length; i++) if (Math.abs(values[i]!) > largest) largest = Math.abs(values[i]!);
    const least = largest * negligible;
    if (!Number.isFinite(least)) return proto;
    let own = 0;
    for (let i = 0; i < values.length; i++) {
      if (values[i] === 0 || !(Math.abs(values[i]!) < least)) continue;
      values[i] = 0;
      own++;
    }
    found += own;
    return own === 0 ? proto : tensorProto(proto.name, tensor);
  });
  return found;
}
