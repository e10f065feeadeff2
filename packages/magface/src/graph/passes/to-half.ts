/**
 * Converts a float32 model to half precision, which halves its size. Inputs and outputs stay float32, so that callers need
 * no change. Norms stay float32 too, because a sum of squares loses most precision.
 */
import { FormatError } from '../../errors.ts';
import { castNode, dropUnread, indexGraph, sortNodes } from '../nodes.ts';
import { largestHalf } from '../onnx/half.ts';
import type { GraphProto, ModelProto, NodeProto, TensorProto } from '../onnx/onnx_pb.ts';
import { dtypeCode, floatsOf, halved, tensorOf, tensorProto } from '../onnx/tensor.ts';
import { simplify } from './simplify.ts';

const [float32, float16] = [dtypeCode('float32'), dtypeCode('float16')];

/** Operators that run in float32 between casts. */
const precise = new Set(['ReduceL2', 'ReduceL1', 'ReduceSumSquare', 'LpNormalization', 'Softmax', 'LogSoftmax']);

/** Operators that need some float32 inputs, or that are integer already. */
const refused = new Set([
  'Resize',
  'Upsample',
  'QuantizeLinear',
  'DequantizeLinear',
  'QLinearConv',
  'If',
  'Loop',
  'Scan',
]);

/**
 * Changes the model in place.
 *
 * @throws {FormatError} naming a weight beyond ±65504, the largest half, or an operator that does not support half
 */
export function toHalf(model: ModelProto, file: string): void {
  simplify(model, file);
  const graph = model.graph!;
  const other = graph.node.find(({ opType }) => refused.has(opType));
  if (other !== undefined) {
    throw new FormatError(file, {
      expected: 'operators that take half precision',
      received: other.opType,
      remedy: 'keep fp32',
    });
  }
  const { inputs } = indexGraph(graph, file);
  graph.initializer = graph.initializer.map((tensor) => halfTensor(tensor, file));
  for (const node of graph.node) halfAttributes(node, file);
  const readers = graph.node.flatMap((node) => (precise.has(node.opType) ? floatNorm(node, graph) : [node]));
  graph.node = readers;
  castEnds(graph, inputs);
  graph.valueInfo = [];
  sortNodes(graph);
  dropUnread(graph);
}

function halfTensor(proto: TensorProto, file: string): TensorProto {
  if (proto.dataType !== float32) return proto;
  const tensor = tensorOf(proto, file);
  const beyond = floatsOf(tensor).find((value) => Math.abs(value) > largestHalf);
  if (beyond === undefined) return tensorProto(proto.name, halved(tensor));
  throw new FormatError(file, {
    expected: `weights within ±${largestHalf} (which half precision holds)`,
    problem: `"${proto.name}" has ${beyond}`,
    remedy: 'keep fp32',
  });
}

function halfAttributes(node: NodeProto, file: string): void {
  for (const attribute of node.attribute) {
    if (attribute.t !== undefined) attribute.t = halfTensor(attribute.t, file);
    if (node.opType === 'Cast' && attribute.name === 'to' && Number(attribute.i) === float32) {
      attribute.i = BigInt(float16);
    }
  }
}

/** The node between casts to float32 and back. */
function floatNorm(node: NodeProto, graph: GraphProto): NodeProto[] {
  const [input = '', output = ''] = [node.input[0], node.output[0]];
  const [wide, result] = [`${output}.input32`, `${output}.output32`];
  const up = castNode(input, wide, 'float32');
  node.input[0] = wide;
  if (graph.output.some(({ name }) => name === output)) return [up, node]; // castEnds leaves it float32
  node.output[0] = result;
  return [up, node, castNode(result, output, 'float16')];
}

/** Adds casts after the inputs and before the outputs. */
function castEnds(graph: GraphProto, inputs: readonly string[]): void {
  const isFloat = ({ name, type }: GraphProto['input'][number]): boolean =>
    type?.tensorType?.elemType === float32 || name === '';
  const renamed = new Map<string, string>();
  const casts: NodeProto[] = [];
  for (const { name } of graph.input.filter((value) => inputs.includes(value.name) && isFloat(value))) {
    renamed.set(name, `${name}.half`);
    casts.push(castNode(name, `${name}.half`, 'float16'));
  }
  const wide = new Set(graph.node.filter(({ opType }) => precise.has(opType)).flatMap(({ output }) => output));
  for (const { name } of graph.output.filter((value) => isFloat(value) && !wide.has(value.name))) {
    renamed.set(name, `${name}.half`);
    casts.push(castNode(`${name}.half`, name, 'float32'));
  }
  for (const node of graph.node) {
    node.input = node.input.map((name) => renamed.get(name) ?? name);
    node.output = node.output.map((name) => renamed.get(name) ?? name);
  }
  graph.node.push(...casts);
}
