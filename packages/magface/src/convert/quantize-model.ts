/**
 * Quantizes a recogniser to 8 bits, calibrated on faces.
 *
 * Three kinds of layers stay float: all but Conv, Gemm, MatMul and Add (onnx/quantize.ts); in a network of 20 layers or
 * more the first five and the last three, which do little of the work and cause half of the error; and those that turn the
 * features most (sensitive-layers.ts). On a MobileFaceNet the second rule reduces the error of a similarity from 0.014 to
 * 0.008, and the third to 0.006. Ranges omit 1e-5 of the values at each end. With PRelu that is better than all values or
 * least squared error, and as good on the MobileFaceNet.
 */

import { parseOnnx, writeOnnx } from '../graph/onnx/file.ts';
import type { ModelProto } from '../graph/onnx/onnx_pb.ts';
import { equalize, planEqualization } from '../graph/passes/equalize.ts';
import { Histogram } from '../graph/passes/histogram.ts';
import { planQuantization, quantize } from '../graph/passes/quantize.ts';
import { simplify } from '../graph/passes/simplify.ts';
import { zeroTinyWeights } from '../graph/passes/zero-tiny.ts';
import { type ObserveOptions, observe } from './observe.ts';
import { sensitiveLayers } from './sensitive-layers.ts';

/** Share of an activation's values that is clipped at each end. */
const outliers = 1e-5;

/** Rounds over the faces: channel maxima, range, histogram. */
export const calibrationRounds = 3;

export type QuantizeOptions = ObserveOptions;

/** A quantized model and what it contains. */
export interface QuantizedModel {
  readonly bytes: Uint8Array;
  readonly integerLayers: number;
  readonly floatLayers: number;
  /** Activations that stay float between integer layers: each costs a conversion to float and back. */
  readonly floatActivations: number;
}

/**
 * @param bytes - a float32 recogniser
 * @throws {FormatError} if it has nothing to quantize, or operators that cannot be converted to opset 13
 * @throws {ModelError} if it cannot run
 */
export async function quantizeModel(bytes: Uint8Array, options: QuantizeOptions): Promise<QuantizedModel> {
  const { name } = options;
  const model = parseOnnx(bytes, name);
  simplify(model, name);
  zeroTinyWeights(model.graph!, name);
  await equalizeOnFaces(model, options);
  const ends = endsOf(model);
  const plan = planQuantization(model, { file: name, keepFloat: ends });
  const histograms = new Map(plan.values.map((value) => [value, new Histogram()]));
  const rounds = (['widen', 'count'] as const).map((round) => (value: string, values: Float32Array) => {
    histograms.get(value)![round](values);
  });
  await observe(model, plan.values, rounds, options);
  const ranges = new Map([...histograms].map(([value, histogram]) => [value, histogram.percentile(outliers)]));
  const layers = model.graph!.node.length;
  const keepFloat = await sensitiveLayers(model, ends, ranges, options);
  const last = planQuantization(model, { file: name, keepFloat });
  quantize(model, last, ranges);
  return {
    bytes: writeOnnx(model, name),
    integerLayers: last.nodes.length,
    floatLayers: layers - last.nodes.length,
    floatActivations: model.graph!.node.filter(({ opType }) => opType === 'PRelu').length,
  };
}

/** Outputs of the first and last layers. */
function endsOf({ graph }: ModelProto): Set<string> {
  const layers = graph!.node.filter(({ opType }) => ['Conv', 'Gemm', 'MatMul'].includes(opType));
  const ends = layers.length < 20 ? [] : [...layers.slice(0, 5), ...layers.slice(-3)];
  return new Set(ends.map(({ output }) => output[0]!));
}

async function equalizeOnFaces(model: ModelProto, options: QuantizeOptions): Promise<void> {
  const plan = planEqualization(model.graph!, options.name);
  const maxima = new Map<string, Float32Array>();
  const look = (name: string, values: Float32Array, dims: readonly number[]): void => {
    const channels = dims[1]!;
    const most = maxima.get(name) ?? new Float32Array(channels);
    maxima.set(name, most);
    const size = values.length / channels;
    for (let channel = 0; channel < channels; channel++) {
      let own = most[channel]!;
      for (let i = channel * size; i < (channel + 1) * size; i++) own = Math.max(own, Math.abs(values[i]!));
      most[channel] = own;
    }
  };
  await observe(model, plan.values, [look], options);
  equalize(model.graph!, plan, maxima);
}
