/** Writes a trained graph as an ONNX file: same nodes, new weights, a `magnitude` beside the embedding, and its contract. */
import { clone, create, toBinary } from '@bufbuild/protobuf';
import type { Tensor } from '@magface/torch';
import { contractMetadata, type RecogniserContract } from '../../models/contract.ts';
import { intAttribute, newNode, opsetOf } from '../../onnx/graph.ts';
import {
  AttributeProtoSchema,
  DimensionProtoSchema,
  type GraphProto,
  type ModelProto,
  ModelProtoSchema,
  StringStringEntryProtoSchema,
  ValueInfoProtoSchema,
} from '../../onnx/onnx_pb.ts';
import { floatTensor, halved, tensorProto } from '../../onnx/tensor.ts';
import { foldBatchNorm, freshStatistics } from './fresh-batch-norm.ts';
import type { TrainableGraph } from './trainable-graph.ts';

const half = 10; // TensorProto.DataType.FLOAT16
const float = 1;

/** @returns the bytes of the file; output `embedding` (N, D) is not normalized, `magnitude` (N) is its norm */
export function writeGraph(trained: TrainableGraph, contract: RecogniserContract): Uint8Array {
  const model = clone(ModelProtoSchema, trained.model);
  const graph = model.graph!;
  const valuesOf = (tensors: ReadonlyMap<string, Tensor>): (readonly [string, Float32Array])[] =>
    [...tensors].map(([name, tensor]) => [name, tensor.toArray() as Float32Array]);
  const weights = new Map([...valuesOf(trained.weights), ...valuesOf(freshStatistics(trained))]);
  foldBatchNorm(model, weights);
  graph.initializer = graph.initializer.map((proto) => {
    const values = weights.get(proto.name);
    if (values === undefined) return proto;
    const tensor = floatTensor(proto.dims.map(Number), values);
    return tensorProto(proto.name, proto.dataType === half ? halved(tensor) : tensor);
  });
  rename(graph, trained.output, 'embedding');
  addMagnitude(model);
  const entries = contractMetadata(contract);
  const kept = model.metadataProps.filter(({ key }) => !key.startsWith('magface.'));
  const added = [...entries].map(([key, value]) => create(StringStringEntryProtoSchema, { key, value }));
  model.metadataProps = [...kept, ...added];
  return toBinary(ModelProtoSchema, model);
}

function rename(graph: GraphProto, from: string, to: string): void {
  const renamed = (name: string): string => (name === from ? to : name);
  for (const node of graph.node) {
    node.input = node.input.map(renamed);
    node.output = node.output.map(renamed);
  }
  for (const value of graph.output) value.name = renamed(value.name);
}

/** From opset 18 the axes of ReduceL2 are an input. */
function addMagnitude({ graph, opsetImport }: ModelProto): void {
  if (graph!.output.some(({ name }) => name === 'magnitude')) return;
  const attributes = [intAttribute('keepdims', 0)];
  const inputs = ['embedding'];
  if (opsetOf(opsetImport) < 18) attributes.push(create(AttributeProtoSchema, { name: 'axes', ints: [1n], type: 7 }));
  else {
    graph!.initializer.push(tensorProto('magnitude.axes', { dims: [1], dtype: 'int64', data: BigInt64Array.of(1n) }));
    inputs.push('magnitude.axes');
  }
  graph!.node.push(newNode('ReduceL2', inputs, 'magnitude', attributes));
  const embedding = graph!.output.find(({ name }) => name === 'embedding')?.type?.tensorType;
  const batch = embedding?.shape?.dim[0] ?? create(DimensionProtoSchema, { value: { case: 'dimParam', value: 'N' } });
  graph!.output.push(
    create(ValueInfoProtoSchema, {
      name: 'magnitude',
      type: {
        tensorType: { elemType: embedding?.elemType ?? float, shape: { dim: [batch] } },
      },
    }),
  );
}
