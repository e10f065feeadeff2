/**
 * Normalizes a recogniser's graph for rewriting: weights become initializers, the opset 13 or newer, and BatchNorm is
 * folded into the convolution or linear layer before it. The graph computes the same.
 */
import { create } from '@bufbuild/protobuf';
import { FormatError } from '../errors.ts';
import {
  constantsToInitializers,
  dropUnread,
  floatOf,
  type GraphIndex,
  indexGraph,
  intOf,
  intsOf,
  opsetOf,
} from './graph.ts';
import { AttributeProtoSchema, type ModelProto, type NodeProto, OperatorSetIdProtoSchema } from './onnx_pb.ts';
import { floatsOf, floatTensor, type OnnxTensor, tensorProto } from './tensor.ts';

const oldestTarget = 13; // the first with per-channel scales in DequantizeLinear

/**
 * Changes the model in place.
 *
 * @throws {FormatError} naming an operator that newer opsets changed and recognisers do not use
 */
export function simplify(model: ModelProto, file: string): void {
  constantsToInitializers(model.graph!, file);
  upgrade(model, file);
  dropIdentities(model);
  foldBatchNorms(model, file);
  dropUnread(model.graph!);
}

/** Operators that mean the same in opsets 9 to 13, as far as recognisers use them. */
const unchanged = new Set(
  `Conv PRelu Relu LeakyRelu Elu Sigmoid Tanh Exp Log Sqrt Abs Neg Reciprocal Erf Add Sub Mul Div Pow Sum Max Min
  BatchNormalization InstanceNormalization LRN Gemm MatMul Reshape Flatten Transpose Concat Shape Gather Cast Identity
  AveragePool MaxPool GlobalAveragePool GlobalMaxPool ReduceMean ReduceL2 ReduceL1 ReduceMax ReduceMin ReduceSumSquare
  Constant ConstantOfShape Expand Where Equal Selu Softplus ConvTranspose Clip Squeeze Unsqueeze ReduceSum Dropout`.split(
    /\s+/,
  ),
);

function upgrade(model: ModelProto, file: string): void {
  const opset = opsetOf(model.opsetImport);
  if (opset >= oldestTarget) return;
  const graph = model.graph!;
  const other = graph.node.find(({ opType, domain }) => domain === '' && !unchanged.has(opType));
  if (other !== undefined || opset < 7) {
    const what = other === undefined ? 'its operators' : `the operator ${other.opType}`;
    throw new FormatError(
      file,
      `Expected opset ${oldestTarget} or newer but found ${opset}, in which ${what} differ: export the model anew with opset 17.`,
    );
  }
  const stored = (node: NodeProto, suffix: string, tensor: OnnxTensor): string => {
    const name = `${node.output[0]}.${suffix}`;
    graph.initializer.push(tensorProto(name, tensor));
    return name;
  };
  for (const node of graph.node) {
    if (node.opType === 'Clip' && opset < 11) {
      const bounds = (['min', 'max'] as const).map((key) => {
        const limit = floatOf(node, key, Number.NaN);
        return Number.isNaN(limit) ? '' : stored(node, key, floatTensor([], Float32Array.of(limit)));
      });
      Object.assign(node, { input: [node.input[0]!, ...bounds], attribute: [] });
    }
    const axes = ['Squeeze', 'Unsqueeze', 'ReduceSum'].includes(node.opType) ? intsOf(node, 'axes') : undefined;
    if (axes !== undefined) {
      const data = BigInt64Array.from(axes, BigInt);
      node.input.push(stored(node, 'axes', { dims: [axes.length], dtype: 'int64', data }));
      node.attribute = node.attribute.filter(({ name }) => name !== 'axes');
    }
    if (node.opType === 'BatchNormalization') node.attribute = node.attribute.filter(({ name }) => name === 'epsilon');
    if (node.opType === 'Dropout') node.attribute = [];
  }
  const others = model.opsetImport.filter(({ domain }) => domain !== '' && domain !== 'ai.onnx');
  model.opsetImport = [create(OperatorSetIdProtoSchema, { domain: '', version: BigInt(oldestTarget) }), ...others];
  if (model.irVersion < 7n) model.irVersion = 7n; // from IR 4 on, weights need not be inputs
}

/** Removes Identity and Dropout, which do nothing at inference. */
function dropIdentities({ graph }: ModelProto): void {
  const outputs = new Set(graph!.output.map(({ name }) => name));
  const source = new Map<string, string>();
  graph!.node = graph!.node.filter((node) => {
    node.input = node.input.map((name) => source.get(name) ?? name);
    const idle = (node.opType === 'Identity' || node.opType === 'Dropout') && !outputs.has(node.output[0]!);
    if (idle) source.set(node.output[0]!, node.input[0]!);
    return !idle;
  });
}

function foldBatchNorms({ graph }: ModelProto, file: string): void {
  const index = indexGraph(graph!, file);
  const folded = new Set<NodeProto>();
  for (const norm of graph!.node) {
    const before = norm.opType === 'BatchNormalization' ? index.producer.get(norm.input[0]!) : undefined;
    if (before === undefined || folded.has(before) || !canFold(before, index)) continue;
    const affine = affineOf(norm, index);
    const weight = index.constant(before.input[1]);
    const bias = before.input[2] ? index.constant(before.input[2]) : undefined;
    if (affine === undefined || weight === undefined || (before.input[2] && bias === undefined)) continue;
    const rows = affine.scale.length;
    const name = before.output[0]!;
    const values = scaledRows(before, weight, affine.scale);
    const shifted = Float32Array.from(affine.shift, (shift, c) => {
      return (bias === undefined ? 0 : floatsOf(bias)[c]!) * affine.scale[c]! + shift;
    });
    if (values === undefined || (bias !== undefined && bias.data.length !== rows)) continue;
    graph!.initializer.push(tensorProto(`${name}.folded.weight`, floatTensor(weight.dims, values)));
    graph!.initializer.push(tensorProto(`${name}.folded.bias`, floatTensor([rows], shifted)));
    before.input = [before.input[0]!, `${name}.folded.weight`, `${name}.folded.bias`];
    before.output = [norm.output[0]!];
    folded.add(norm).add(before);
  }
  graph!.node = graph!.node.filter((node) => node.opType !== 'BatchNormalization' || !folded.has(node));
  for (const norm of graph!.node) if (norm.opType === 'BatchNormalization') settle(norm, index);
}

/** Rewrites a remaining BatchNorm as scale and shift with mean 0 and variance 1, which suit any precision. */
function settle(norm: NodeProto, { graph, constant }: GraphIndex): void {
  const affine = affineOf(norm, { constant });
  if (affine === undefined) return;
  const size = affine.scale.length;
  const parts = {
    scale: Float32Array.from(affine.scale),
    shift: Float32Array.from(affine.shift),
    zero: new Float32Array(size),
    one: new Float32Array(size).fill(1),
  };
  const names = Object.entries(parts).map(([suffix, values]) => {
    const name = `${norm.output[0]}.settled.${suffix}`;
    graph.initializer.push(tensorProto(name, floatTensor([size], values)));
    return name;
  });
  norm.input = [norm.input[0]!, ...names];
  norm.attribute = [create(AttributeProtoSchema, { name: 'epsilon', f: 0, type: 1 })];
}

/** Whether the BatchNorm is the only reader of the layer's output. */
function canFold(node: NodeProto, index: GraphIndex): boolean {
  const [output = ''] = node.output;
  const plain = floatOf(node, 'alpha', 1) === 1 && floatOf(node, 'beta', 1) === 1;
  const layer = node.opType === 'Conv' || (node.opType === 'Gemm' && plain);
  return layer && index.readers.get(output)?.length === 1 && !index.outputs.has(output);
}

/** BatchNorm at inference is x ↦ scale · x + shift for each channel. */
function affineOf(
  norm: NodeProto,
  index: Pick<GraphIndex, 'constant'>,
): { readonly scale: Float64Array; readonly shift: Float64Array } | undefined {
  const [gamma, beta, mean, variance] = norm.input.slice(1).map((name) => index.constant(name));
  if (gamma === undefined || beta === undefined || mean === undefined || variance === undefined) return undefined;
  const epsilon = floatOf(norm, 'epsilon', 1e-5);
  const [g, b, m, v] = [gamma, beta, mean, variance].map(floatsOf) as [Float32Array, ...Float32Array[]];
  const scale = Float64Array.from(g, (value, c) => value / Math.sqrt(v![c]! + epsilon));
  return { scale, shift: Float64Array.from(b!, (value, c) => value - m![c]! * scale[c]!) };
}

/** The weight with output channel c times scale c; undefined if the number of channels differs. */
function scaledRows(node: NodeProto, weight: OnnxTensor, scale: Float64Array): Float32Array | undefined {
  const values = floatsOf(weight);
  const columns = node.opType === 'Gemm' && intOf(node, 'transB', 0) === 0; // (in, out)
  const rows = weight.dims[columns ? 1 : 0]!;
  if (rows !== scale.length) return undefined;
  const length = values.length / rows;
  return values.map((value, i) => value * scale[columns ? i % rows : Math.floor(i / length)]!);
}
