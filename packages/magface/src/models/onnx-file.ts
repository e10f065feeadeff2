/** Reading and writing ONNX files; fields that are not listed in proto/onnx.proto come through unchanged. */
import { createHash } from 'node:crypto';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { ModelError } from '../errors.ts';
import {
  DimensionProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  StringStringEntryProtoSchema,
  type TensorProto,
  type ValueInfoProto,
} from './onnx_pb.ts';

/** An input or output of the graph; a dimension is a number, or the name (or '') of one that is free. */
export interface GraphValue {
  readonly name: string;
  readonly dims: readonly (number | string)[];
}

/** What an ONNX file says of itself, without running it. */
export interface OnnxSummary {
  readonly metadata: ReadonlyMap<string, string>;
  readonly inputs: readonly GraphValue[];
  readonly outputs: readonly GraphValue[];
  readonly producer: string;
}

/** @throws {ModelError} `model_not_onnx` when the bytes hold no graph */
export function parseOnnx(bytes: Uint8Array, model: string): ModelProto {
  let parsed: ModelProto | undefined;
  let cause: unknown;
  try {
    parsed = fromBinary(ModelProtoSchema, bytes);
  } catch (error) {
    cause = error;
  }
  if (parsed?.graph !== undefined && parsed.graph.node.length > 0 && parsed.irVersion > 0n) return parsed;
  const message = `Expected an ONNX model but ${model} is none: give a file that ends in .onnx and was exported as ONNX, not a checkpoint of a framework.`;
  throw new ModelError('model_not_onnx', model, message, { cause });
}

/** @throws {ModelError} `model_not_onnx` */
export function summarizeOnnx(bytes: Uint8Array, model: string): OnnxSummary {
  const parsed = parseOnnx(bytes, model);
  const graph = parsed.graph!;
  const stored = new Set(graph.initializer.map(({ name }) => name)); // old files list weights among the inputs
  return {
    metadata: new Map(parsed.metadataProps.map(({ key, value }) => [key, value])),
    inputs: graph.input.filter(({ name }) => !stored.has(name)).map(graphValue),
    outputs: graph.output.map(graphValue),
    producer: `${parsed.producerName} ${parsed.producerVersion}`.trim(),
  };
}

/**
 * @param entries - keys to set; a key that the file has is replaced
 * @returns the file with these metadata
 */
export function withMetadata(bytes: Uint8Array, entries: ReadonlyMap<string, string>, model: string): Uint8Array {
  const parsed = parseOnnx(bytes, model);
  const kept = parsed.metadataProps.filter(({ key }) => !entries.has(key));
  const added = [...entries].map(([key, value]) => create(StringStringEntryProtoSchema, { key, value }));
  parsed.metadataProps = [...kept, ...added];
  return toBinary(ModelProtoSchema, parsed);
}

/**
 * Many recognisers are exported for a batch of one although nothing in them needs it. Makes the first dimension free.
 *
 * @returns the mended file; the same bytes when the dimension is free already; undefined when an operator holds the batch
 *   in a constant, so that only a batch of one is sure to be right
 */
export function freeBatch(bytes: Uint8Array, model: string): Uint8Array | undefined {
  const parsed = parseOnnx(bytes, model);
  const graph = parsed.graph!;
  const stored = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]));
  const inputs = graph.input.filter(({ name }) => !stored.has(name));
  if (inputs.every((value) => typeof graphValue(value).dims[0] === 'string')) return bytes;
  for (const node of graph.node) {
    if (batchBound.has(node.opType)) return undefined;
    if (node.opType !== 'Reshape') continue;
    const shape = stored.get(node.input[1] ?? '') ?? constantOf(graph.node, node.input[1] ?? '');
    if (shape === undefined || !freeShape(shape)) return undefined;
  }
  for (const value of [...inputs, ...graph.output]) freeFirst(value);
  graph.valueInfo = []; // shapes inferred for a batch of one
  return toBinary(ModelProtoSchema, parsed);
}

/** Operators that may mix the faces of a batch, or whose shape arguments are computed. */
const batchBound = new Set(['Expand', 'Tile', 'ConstantOfShape', 'Resize', 'Loop', 'If', 'Scan', 'NonMaxSuppression']);

function constantOf(nodes: NonNullable<ModelProto['graph']>['node'], name: string): TensorProto | undefined {
  const node = nodes.find(({ opType, output }) => opType === 'Constant' && output[0] === name);
  return node?.attribute.find((attribute) => attribute.name === 'value')?.t;
}

/** A leading 1 becomes 0, "as in the input", unless a -1 further on would then take the batch in. */
function freeShape(shape: TensorProto): boolean {
  if (shape.rawData.length % 8 !== 0) return false;
  const values = int64Values(shape);
  if (values[0] === 0n || values[0] === -1n) return true;
  if (values[0] !== 1n || values.length < 2) return false;
  const rest = values.slice(1);
  shape.rawData = new Uint8Array(BigInt64Array.from([0n, ...rest]).buffer);
  shape.int64Data = [];
  return true;
}

function int64Values({ rawData, int64Data }: TensorProto): bigint[] {
  if (rawData.length === 0) return int64Data;
  return [...new BigInt64Array(Uint8Array.from(rawData).buffer)]; // copied: the file may hold it unaligned
}

function freeFirst(value: ValueInfoProto): void {
  const dims = value.type?.tensorType?.shape?.dim;
  if (dims?.[0] !== undefined) dims[0] = create(DimensionProtoSchema, { value: { case: 'dimParam', value: 'N' } });
}

function graphValue({ name, type }: ValueInfoProto): GraphValue {
  const dims = type?.tensorType?.shape?.dim ?? [];
  return {
    name,
    dims: dims.map(({ value }) => (value.case === 'dimValue' ? Number(value.value) : (value.value ?? ''))),
  };
}

/**
 * @returns SHA-256 over the initializers, so that two files of the same weights are known as such
 * @throws {ModelError} `model_not_onnx`
 */
export function weightsDigest(bytes: Uint8Array, model: string): string {
  const initializers = parseOnnx(bytes, model).graph!.initializer;
  const hash = createHash('sha256');
  for (const { name, dims, rawData, floatData } of initializers) {
    hash.update(`${name} ${dims.join('x')}\n`);
    hash.update(rawData.length > 0 ? rawData : new Uint8Array(Float32Array.from(floatData).buffer));
  }
  return hash.digest('hex');
}
