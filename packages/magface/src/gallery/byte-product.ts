/** A network with one matrix multiplication. */
import { create, toBinary } from '@bufbuild/protobuf';
import {
  DimensionProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  TensorShapeProtoSchema,
  TensorTypeProtoSchema,
  TypeProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from '../graph/onnx/onnx_pb.ts';

/** TensorProto.DataType */
const [uint8, int8, int32] = [2, 3, 6];

/** @returns a file whose `templates` (N, D) uint8 times `query` (D, Q) int8 are `products` (N, Q) int32 */
export function bytesTimesBytes(): Uint8Array {
  const product = { opType: 'MatMulInteger', input: ['templates', 'query'], output: ['products'] };
  const graph = create(GraphProtoSchema, {
    name: 'product',
    node: [create(NodeProtoSchema, product)],
    input: [matrix('templates', uint8, ['N', 'D']), matrix('query', int8, ['D', 'Q'])],
    output: [matrix('products', int32, ['N', 'Q'])],
  });
  const opsetImport = [create(OperatorSetIdProtoSchema, { version: 14n })];
  return toBinary(ModelProtoSchema, create(ModelProtoSchema, { irVersion: 8n, graph, opsetImport }));
}

function matrix(name: string, elemType: number, names: readonly string[]): ValueInfoProto {
  const dim = names.map((value) => create(DimensionProtoSchema, { value: { case: 'dimParam', value } }));
  const tensorType = create(TensorTypeProtoSchema, { elemType, shape: create(TensorShapeProtoSchema, { dim }) });
  return create(ValueInfoProtoSchema, { name, type: create(TypeProtoSchema, { tensorType }) });
}
