/**
 * Normalizes a recogniser's graph for rewriting: weights become initializers, the opset 13 or newer, and BatchNorm is
 * folded into the layers beside it. The graph computes the same.
 */
import { create } from '@bufbuild/protobuf';
import { FormatError } from '../../errors.ts';
import { constantsToInitializers, dropUnread, floatOf, indexGraph, intsOf, opsetOf } from '../nodes.ts';
import { type ModelProto, type NodeProto, OperatorSetIdProtoSchema } from '../onnx/onnx_pb.ts';
import { floatTensor, type OnnxTensor } from '../onnx/tensor.ts';
import { foldBatchNorm, settleBatchNorm } from './fold-batch-norm.ts';

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
  foldBatchNorm(model.graph!, file);
  settleBatchNorm(model.graph!, file);
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
    throw new FormatError(file, {
      expected: `opset ${oldestTarget} or newer`,
      received: `${opset}, in which ${what} differ`,
      remedy: 'export the model anew with opset 17',
    });
  }
  const { store } = indexGraph(graph, file);
  const stored = (node: NodeProto, suffix: string, tensor: OnnxTensor): string =>
    store(`${node.output[0]}.${suffix}`, tensor);
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
