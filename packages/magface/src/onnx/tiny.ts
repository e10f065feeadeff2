/**
 * Weights that are not zero and yet do nothing: training with weight decay shrinks dead channels without end, and numbers
 * below 2^-126, which they and their products come to, cost a processor a hundred times the time of others.
 */
import type { GraphProto } from './onnx_pb.ts';
import { tensorOf, tensorProto } from './tensor.ts';

/**
 * Of the tensor's largest magnitude. A sum in float32 sees 2^-24 of its largest term; this is 2^-26 of that, and the
 * embeddings of the recogniser that shows the effect stay the same to the last bit.
 */
const negligible = 2 ** -50;

/**
 * Sets such weights to zero, in the graph itself.
 *
 * @returns how many there were
 */
export function zeroTinyWeights(graph: GraphProto, file: string): number {
  let found = 0;
  graph.initializer = graph.initializer.map((proto) => {
    if (proto.dataType !== 1 || proto.dims.length < 2) return proto; // small tensors hold constants of formulas, too
    const tensor = tensorOf(proto, file);
    const values = tensor.data as Float32Array;
    // Plain loops: a model has millions of weights, and a callback for each took a tenth of the time to the first face.
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
