/** Opens an ONNX file as a network with gradients, so that exports of any framework can be trained further. */
import { type Device, fromArray, noGrad, scope, type Tensor } from '@magface/torch';
import { ModelError } from '../../errors.ts';
import { constantsToInitializers, embeddingOf, neededNodes, opsetOf } from '../nodes.ts';
import { makeReady, parseOnnx } from '../onnx/file.ts';
import type { ModelProto } from '../onnx/onnx_pb.ts';
import { floatsOf, isFloat, tensorOf } from '../onnx/tensor.ts';
import { Network, type NetworkParts } from './network.ts';
import { learningMark } from './operators.ts';
import type { TranslatedNode } from './steps.ts';
import { numbersOf, translated } from './translate.ts';

/** Operators that are layers of a network. */
export const layers: ReadonlySet<string> = new Set(['Conv', 'Gemm', 'MatMul']);

/** A network that was opened from a file. */
export class FileNetwork extends Network {
  /** The file, with constants as initializers and a free batch size. */
  readonly model: ModelProto;

  /** @internal */
  constructor(parts: NetworkParts, model: ModelProto) {
    super(parts);
    this.model = model;
  }
}

/**
 * @param bytes - an ONNX file; a batch size fixed at 1 is made free if nothing in the file needs it
 * @param name - for messages
 * @throws {ModelError} `model_not_onnx`; `model_untrainable` naming every operator that has no translation
 */
export function openGraph(bytes: Uint8Array, name: string, device: Device = 'cpu'): FileNetwork {
  const model = parseOnnx(bytes, name);
  makeReady(model, name);
  constantsToInitializers(model.graph!, name);
  for (const node of model.graph!.node) node.attribute = node.attribute.filter((one) => one.name !== learningMark);
  return networkOf(model, name, device);
}

/** The network of a model whose constants are initializers. BatchNorm is constant in it, unless marked as learning. */
export function networkOf(model: ModelProto, name: string, device: Device): FileNetwork {
  using all = scope();
  using _ = noGrad();
  const graph = model.graph!;
  const stored = new Map(graph.initializer.map((proto) => [proto.name, proto]));
  const output = embeddingOf(graph);
  const nodes = translated(neededNodes(graph.node, output), {
    name,
    opset: opsetOf(model.opsetImport),
    numbers: numbersOf(graph.initializer, name),
  });
  const learned = learnedInputs(nodes);
  const [tensors, trainable] = [new Map<string, Tensor>(), new Set<string>()];
  for (const input of nodes.flatMap(({ node }) => node.input)) {
    const proto = stored.get(input);
    if (proto === undefined || tensors.has(input)) continue;
    const values = tensorOf(proto, name);
    tensors.set(input, all.keep(fromArray(floatsOf(values), values.dims).clone().to({ device })));
    if (learned.has(input) && isFloat(values)) trainable.add(input);
  }
  const input = onlyInput(model, name);
  return new FileNetwork({ name, device, nodes, input, output, tensors, trainable, isFused: false }, model);
}

/** The inputs that operators learn; nodes before the first layer preprocess pixels. */
function learnedInputs(nodes: readonly TranslatedNode[]): Set<string> {
  const first = nodes.findIndex(({ node }) => layers.has(node.opType));
  const names = nodes.slice(first).flatMap(({ node, operator: { learned = [] } }) => learned.map((i) => node.input[i]));
  return new Set(names.filter((name) => name !== undefined && name !== '') as string[]);
}

function onlyInput({ graph }: ModelProto, name: string): string {
  const stored = new Set(graph!.initializer.map((proto) => proto.name));
  const inputs = graph!.input.map((value) => value.name).filter((input) => !stored.has(input));
  if (inputs.length === 1) return inputs[0]!;
  throw new ModelError('model_untrainable', name, {
    expected: 'a recogniser with one input',
    problem: `${name} has ${inputs.length}`,
    remedy: 'export the network that takes faces alone',
  });
}
