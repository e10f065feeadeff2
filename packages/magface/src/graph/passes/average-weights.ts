/** The weighted mean of the weights of networks with one graph. */
import { FormatError } from '../../errors.ts';
import type { ModelProto, TensorProto } from '../onnx/onnx_pb.ts';
import { floatsOf, floatTensor, halved, isFloat, type OnnxTensor, tensorOf, tensorProto } from '../onnx/tensor.ts';

/** A network, and how much it counts. */
export interface WeightedModel {
  readonly model: ModelProto;
  /** For errors. */
  readonly name: string;
  /** Share of the mean; all sum to 1. */
  readonly share: number;
}

/**
 * Gives the first network the weighted mean of all networks' weights, which are matched by name. Changes it in place.
 *
 * @throws {FormatError} if a network lacks a weight of the first, or has it in another shape
 */
export function averageWeights(models: readonly [WeightedModel, ...WeightedModel[]]): void {
  const [{ model, name }, ...others] = models;
  const own = models[0].share;
  const theirs = others.map(({ model: other, ...rest }) => {
    const weights = new Map(other.graph!.initializer.map((proto) => [proto.name, proto]));
    return { ...rest, weights };
  });
  const stored = model.graph!.initializer;
  for (const [i, proto] of stored.entries()) {
    const weight = tensorOf(proto, name);
    if (!isFloat(weight)) continue;
    const sums = Float64Array.from(floatsOf(weight), (value) => value * own);
    for (const other of theirs) {
      const values = floatsOf(
        sameWeight(other.weights.get(proto.name), weight, { weight: proto.name, first: name, name: other.name }),
      );
      for (let k = 0; k < sums.length; k++) sums[k]! += values[k]! * other.share;
    }
    const mean = floatTensor(weight.dims, Float32Array.from(sums));
    stored[i] = tensorProto(proto.name, weight.dtype === 'float16' ? halved(mean) : mean);
  }
}

function sameWeight(
  proto: TensorProto | undefined,
  wanted: OnnxTensor,
  { weight, first, name }: { readonly weight: string; readonly first: string; readonly name: string },
): OnnxTensor {
  const found = proto === undefined ? undefined : tensorOf(proto, name);
  if (found !== undefined && `${found.dims}` === `${wanted.dims}` && isFloat(found)) return found;
  throw new FormatError(
    name,
    {
      expected: `the weight "${weight}" of ${first}, of shape (${wanted.dims.join(', ')}),`,
      received: found === undefined ? 'none of that name' : `shape (${found.dims.join(', ')})`,
      remedy: 'average models that were finetuned from one model',
    },
    { part: weight },
  );
}
