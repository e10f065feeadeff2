/**
 * Selects the layers that stay float because quantizing them turns the features most.
 *
 * Rule: each layer alone is quantized and run on a few faces, and layers are ranked by how far the features turn. The worst
 * stay float, four more at a time, until the mean cosine to the float features reaches {@link closeEnough}, or half of the
 * layers are float.
 */
import { clone } from '@bufbuild/protobuf';
import { type ModelProto, ModelProtoSchema } from '../graph/onnx/onnx_pb.ts';
import { type ActivationRange, planQuantization, quantize } from '../graph/passes/quantize.ts';
import { compare } from '../similarity.ts';
import { type ObserveOptions, observe } from './observe.ts';

/** Mean cosine to the float features: a MobileFaceNet loses 0.001 on LFW's folds at this bound, 0.0013 at 0.999. */
export const closeEnough = 0.9993;

/** Faces to rank layers on, and to check the bound on. */
const [rankingFaces, boundFaces] = [8, 32] as const;
/** Layers made float at a time. */
const step = 4;
/** Largest share of layers that may become float. */
const mostShare = 1 / 2;

/**
 * @param model - simplified, float; it is not changed
 * @param keepFloat - outputs of nodes that always stay float
 * @param ranges - for every value that integer layers read or write
 * @returns outputs of all nodes that stay float
 */
export async function sensitiveLayers(
  model: ModelProto,
  keepFloat: ReadonlySet<string>,
  ranges: ReadonlyMap<string, ActivationRange>,
  options: ObserveOptions,
): Promise<Set<string>> {
  const outputs = planQuantization(model, { file: options.name, keepFloat }).nodes.map(({ node }) => node.output[0]!);
  const integer = (names: Iterable<string>): ModelProto => {
    const chosen = new Set(names);
    const rest = model.graph!.node.map(({ output }) => output[0]!).filter((name) => !chosen.has(name));
    const copy = clone(ModelProtoSchema, model);
    quantize(copy, planQuantization(copy, { file: options.name, keepFloat: new Set(rest) }), ranges);
    return copy;
  };
  const float = await featuresOf(model, boundFaces, options);
  const turnOf = async (names: readonly string[], faces: number): Promise<number> =>
    turn(float, await featuresOf(integer(names), faces, options));

  const ranked: { readonly name: string; readonly turn: number }[] = [];
  for (const name of outputs) ranked.push({ name, turn: await turnOf([name], rankingFaces) });
  ranked.sort((a, b) => b.turn - a.turn);
  const names = ranked.map(({ name }) => name);
  let count = 0;
  for (const most = outputs.length * mostShare; count + step <= most; count += step)
    if ((await turnOf(names.slice(count), boundFaces)) <= 1 - closeEnough) break;
  return new Set([...keepFloat, ...names.slice(0, count)]);
}

/** One minus the mean cosine over the faces in both. */
function turn(float: readonly Float32Array[], other: readonly Float32Array[]): number {
  const sum = other.reduce((all, features, i) => all + 1 - compare(float[i]!, features), 0);
  return sum / other.length;
}

async function featuresOf(model: ModelProto, count: number, options: ObserveOptions): Promise<Float32Array[]> {
  const features: Float32Array[] = [];
  const output = model.graph!.output[0]!.name;
  const faces = options.faces.slice(0, count);
  const { onFace: _, ...rest } = options;
  await observe(model, [output], [(_name, values) => features.push(values.slice())], { ...rest, faces });
  return features;
}
