/** Small ONNX graphs for tests, said in a line a node. */
import { create, toBinary } from '@bufbuild/protobuf';
import {
  type AttributeProto,
  AttributeProtoSchema,
  DimensionProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  TensorShapeProtoSchema,
  TensorTypeProtoSchema,
  TypeProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from '../../src/graph/onnx/onnx_pb.ts';
import { type OnnxTensor, tensorProto } from '../../src/graph/onnx/tensor.ts';

export interface GraphDescription {
  readonly nodes: readonly NodeProto[];
  readonly weights?: Readonly<Record<string, OnnxTensor>>;
  /** Sizes of `input` and `output`. */
  readonly input: readonly number[];
  readonly output: readonly number[];
  readonly opset?: number;
}

/** @returns the bytes of a model from `input` to `output` */
export function onnxGraph({ nodes, weights = {}, input, output, opset = 17 }: GraphDescription): Uint8Array {
  const graph = create(GraphProtoSchema, {
    name: 'small',
    node: [...nodes],
    initializer: Object.entries(weights).map(([name, tensor]) => tensorProto(name, tensor)),
    input: [value('input', input)],
    output: [value('output', output)],
  });
  const opsetImport = [create(OperatorSetIdProtoSchema, { version: BigInt(opset) })];
  return toBinary(ModelProtoSchema, create(ModelProtoSchema, { irVersion: 8n, graph, opsetImport }));
}

/** `node('Conv input w -> output', { group: 2, pads: [1, 1, 1, 1] })` */
export function node(line: string, attributes: Readonly<Record<string, number | readonly number[]>> = {}): NodeProto {
  const [left = '', right = ''] = line.split(' -> ');
  const [opType, ...input] = left.split(' ');
  const attribute = Object.entries(attributes).map(([name, given]) => attributeOf(name, given));
  return create(NodeProtoSchema, { opType: opType!, input, output: right.split(' '), attribute });
}

function attributeOf(name: string, given: number | readonly number[]): AttributeProto {
  if (typeof given !== 'number') return create(AttributeProtoSchema, { name, ints: given.map(BigInt), type: 7 });
  if (Number.isInteger(given)) return create(AttributeProtoSchema, { name, i: BigInt(given), type: 2 });
  return create(AttributeProtoSchema, { name, f: given, type: 1 });
}

/** Weights that look random and are the same each time. */
export function wave(dims: readonly number[], scale = 1): OnnxTensor {
  const count = dims.reduce((product, size) => product * size, 1);
  const data = Float32Array.from({ length: count }, (_, i) => scale * Math.sin(1 + i * 2.399963));
  return { dims, dtype: 'float32', data };
}

/** Whole numbers, such as a shape. */
export const whole = (...values: readonly number[]): OnnxTensor => ({
  dims: [values.length],
  dtype: 'int64',
  data: BigInt64Array.from(values, BigInt),
});

function value(name: string, dims: readonly number[]): ValueInfoProto {
  const dim = dims.map((size) => create(DimensionProtoSchema, { value: { case: 'dimValue', value: BigInt(size) } }));
  const tensorType = create(TensorTypeProtoSchema, { elemType: 1, shape: create(TensorShapeProtoSchema, { dim }) });
  return create(ValueInfoProtoSchema, { name, type: create(TypeProtoSchema, { tensorType }) });
}
