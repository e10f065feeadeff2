/** A recogniser of a few hundred bytes, made here: each embedding is the mean of its channels. */
import { create, toBinary } from '@bufbuild/protobuf';
import { withMetadata } from '../../src/graph/onnx/file.ts';
import {
  AttributeProtoSchema,
  DimensionProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  TensorProtoSchema,
  TensorShapeProtoSchema,
  TensorTypeProtoSchema,
  TypeProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from '../../src/graph/onnx/onnx_pb.ts';
import { contractMetadata, type ModelContract, type RecogniserContract } from '../../src/models/contract.ts';

/** What {@link tinyOnnx} says of itself as a recogniser. @param mean - of each channel, taken off before the network */
export const tinyRecord = (mean: readonly [number, number, number] = [0, 0, 0]): RecogniserContract => ({
  kind: 'recogniser',
  template: 'arcface-112',
  embeddingLength: 3,
  input: { width: 112, height: 112, layout: 'NCHW', channelOrder: 'RGB', mean, scale: [1, 1, 1] },
});

/** @param size - edge of the input; recognisers take 112 */
export function tinyOnnx(size = 112, contract?: ModelContract): Uint8Array {
  const shape = create(TensorProtoSchema, {
    name: 'shape',
    dims: [2n],
    dataType: 7,
    rawData: new Uint8Array(BigInt64Array.of(1n, 3n).buffer),
  });
  const graph = create(GraphProtoSchema, {
    name: 'tiny',
    node: [
      create(NodeProtoSchema, { opType: 'GlobalAveragePool', input: ['input'], output: ['pooled'] }),
      create(NodeProtoSchema, {
        opType: 'Reshape',
        input: ['pooled', 'shape'],
        output: ['embedding'],
        attribute: [create(AttributeProtoSchema, { name: 'allowzero', type: 2, i: 0n })],
      }),
    ],
    initializer: [shape],
    input: [value('input', [1, 3, size, size])],
    output: [value('embedding', [1, 3])],
  });
  const opsetImport = [create(OperatorSetIdProtoSchema, { version: 14n })];
  const bytes = toBinary(ModelProtoSchema, create(ModelProtoSchema, { irVersion: 8n, graph, opsetImport }));
  return contract === undefined ? bytes : withMetadata(bytes, contractMetadata(contract), 'tiny');
}

function value(name: string, dims: readonly number[]): ValueInfoProto {
  const dim = dims.map((size) => create(DimensionProtoSchema, { value: { case: 'dimValue', value: BigInt(size) } }));
  const tensorType = create(TensorTypeProtoSchema, { elemType: 1, shape: create(TensorShapeProtoSchema, { dim }) });
  return create(ValueInfoProtoSchema, { name, type: create(TypeProtoSchema, { tensorType }) });
}
