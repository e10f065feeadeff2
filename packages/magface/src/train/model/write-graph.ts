/** Writes networks as ONNX files that carry their contract: `embedding` (N, D), not normalized, and `magnitude` (N). */
import { clone, create, toBinary } from '@bufbuild/protobuf';
import { dropUnread, indexGraph, intAttribute, intsAttribute, newNode, opsetOf } from '../../graph/nodes.ts';
import {
  DimensionProtoSchema,
  type GraphProto,
  type ModelProto,
  ModelProtoSchema,
  ValueInfoProtoSchema,
} from '../../graph/onnx/onnx_pb.ts';
import { floatTensor, halved } from '../../graph/onnx/tensor.ts';
import { foldBatchNorm } from '../../graph/passes/fold-batch-norm.ts';
import type { FileNetwork } from '../../graph/torch/open-graph.ts';
import { isLearning } from '../../graph/torch/operators.ts';
import type { RecogniserContract } from '../../models/contract.ts';
import { replaceRecord } from '../../models/with-contract.ts';

const float = 1; // TensorProto.DataType.FLOAT

/** @returns the bytes of the file: the same nodes with the current weights, and a magnitude beside the embedding */
export function writeGraph(network: FileNetwork, contract: RecogniserContract): Uint8Array {
  const model = clone(ModelProtoSchema, network.model);
  const graph = model.graph!;
  const { constant, store } = indexGraph(graph, network.name);
  const halves: string[] = [];
  for (const [name, tensor] of [...network.weights, ...network.statistics]) {
    const { dims, dtype } = constant(name)!;
    store(name, floatTensor(dims, tensor.toArray() as Float32Array));
    if (dtype === 'float16') halves.push(name);
  }
  foldBatchNorm(graph, network.name, isLearning);
  dropUnread(graph);
  const folded = indexGraph(graph, network.name);
  for (const name of halves) {
    const values = folded.constant(name);
    if (values !== undefined) folded.store(name, halved(values));
  }
  rename(graph, network.output, 'embedding');
  addMagnitude(model);
  replaceRecord(model, contract);
  return toBinary(ModelProtoSchema, model);
}

/** Renames a value of the graph. */
export function rename(graph: GraphProto, from: string, to: string): void {
  const renamed = (name: string): string => (name === from ? to : name);
  for (const node of graph.node) {
    node.input = node.input.map(renamed);
    node.output = node.output.map(renamed);
  }
  for (const value of graph.output) value.name = renamed(value.name);
}

/** Adds the output `magnitude`, if there is none. From opset 18 the axes of ReduceL2 are an input. */
export function addMagnitude({ graph, opsetImport }: ModelProto): void {
  if (graph!.output.some(({ name }) => name === 'magnitude')) return;
  const attributes = [intAttribute('keepdims', 0)];
  const inputs = ['embedding'];
  if (opsetOf(opsetImport) < 18) attributes.push(intsAttribute('axes', [1]));
  else {
    const axes = { dims: [1], dtype: 'int64', data: BigInt64Array.of(1n) } as const;
    inputs.push(indexGraph(graph!, 'model').store('magnitude.axes', axes));
  }
  graph!.node.push(newNode('ReduceL2', inputs, 'magnitude', attributes));
  const embedding = graph!.output.find(({ name }) => name === 'embedding')?.type?.tensorType;
  const batch = embedding?.shape?.dim[0] ?? create(DimensionProtoSchema, { value: { case: 'dimParam', value: 'N' } });
  const tensorType = { elemType: embedding?.elemType ?? float, shape: { dim: [batch] } };
  graph!.output.push(create(ValueInfoProtoSchema, { name: 'magnitude', type: { tensorType } }));
}
