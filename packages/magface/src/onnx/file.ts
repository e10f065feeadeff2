/** Reading and writing ONNX files; fields that are not listed in proto/onnx.proto come through unchanged. */
import { createHash } from 'node:crypto';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { FormatError, ModelError } from '../errors.ts';
import type { ByteSource } from '../format/byte-source.ts';
import { freeBatchOf, isBatchFree } from './batch.ts';
import { readExternalData, tensorsIn } from './external.ts';
import { type ModelProto, ModelProtoSchema, StringStringEntryProtoSchema, type ValueInfoProto } from './onnx_pb.ts';
import { splitPrelu } from './prelu.ts';
import { dtypeOf, expectTensor, tensorOf } from './tensor.ts';
import { zeroTinyWeights } from './tiny.ts';
import { findFault, initializerOffset } from './wire.ts';

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

/** @throws {ModelError} `model_not_onnx` when the bytes hold no graph; its cause is a FormatError that says where */
export function parseOnnx(bytes: Uint8Array, model: string): ModelProto {
  try {
    return parseModel(bytes, model);
  } catch (cause) {
    const message = `Expected an ONNX model but ${model} is none: give a file that ends in .onnx and was exported as ONNX, not a checkpoint of a framework.`;
    throw new ModelError('model_not_onnx', model, message, { cause });
  }
}

function parseModel(bytes: Uint8Array, file: string): ModelProto {
  let parsed: ModelProto;
  try {
    parsed = fromBinary(ModelProtoSchema, bytes);
  } catch (cause) {
    const { offset, what } = findFault(bytes) ?? { offset: 0, what: 'values that cannot be' };
    throw new FormatError(file, `Expected the messages of an ONNX file but found ${what}.`, { offset, cause });
  }
  if (parsed.graph !== undefined && parsed.graph.node.length > 0 && parsed.irVersion > 0n) return parsed;
  throw new FormatError(file, 'Expected an ONNX model but found no graph with nodes.', { offset: 0 });
}

/**
 * Reads a whole model and all its weights, those in files beside it too; nothing is believed that is not checked.
 *
 * @param source - the file; external data are looked for beside its name
 * @throws {FormatError} with the place where bytes contradict the format
 */
export async function readOnnx(source: ByteSource): Promise<ModelProto> {
  if (source.size >= largestFile) {
    throw source.error('Expected an ONNX file below 2 GiB, the most that its format allows.', largestFile);
  }
  const bytes = await source.read(0, source.size);
  const model = parseModel(bytes, source.file);
  const { initializer } = model.graph!;
  try {
    await readExternalData(model, source.file);
    for (const tensor of tensorsIn(model.graph!)) if (tensor.dataType !== stringType) expectTensor(tensor, source.file);
  } catch (error) {
    if (!(error instanceof FormatError) || error.offset !== undefined) throw error;
    const damaged = initializer.findIndex(({ name }) => name === error.part);
    throw source.error(error.reason, initializerOffset(bytes, Math.max(0, damaged)), error);
  }
  return model;
}

const stringType = 8; // TensorProto.DataType.STRING

/** @throws {ModelError} `model_not_onnx` */
export const summarizeOnnx = (bytes: Uint8Array, model: string): OnnxSummary => summaryOf(parseOnnx(bytes, model));

/** {@link summarizeOnnx} of a parsed model. */
export function summaryOf(parsed: ModelProto): OnnxSummary {
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
  setMetadata(parsed, entries);
  return writeOnnx(parsed, model);
}

/** {@link withMetadata} of a parsed model, which is changed in place. */
export function setMetadata(parsed: ModelProto, entries: ReadonlyMap<string, string>): void {
  const kept = parsed.metadataProps.filter(({ key }) => !entries.has(key));
  const added = [...entries].map(([key, value]) => create(StringStringEntryProtoSchema, { key, value }));
  parsed.metadataProps = [...kept, ...added];
}

/** A recogniser as it runs best. */
export interface ReadyModel {
  readonly bytes: Uint8Array;
  /** Whether it takes any number of faces at once. */
  readonly batchFree: boolean;
}

export interface ReadyOptions {
  /** Write PReLU in operators that suit a runtime with a blocked layout (onnx-prelu.ts). @default false */
  readonly blocked?: boolean;
}

/** @returns the same model with its batch freed where that is sure to be right, and without weights that only cost time */
export function readyToRun(bytes: Uint8Array, model: string, { blocked = false }: ReadyOptions = {}): ReadyModel {
  const parsed = parseOnnx(bytes, model);
  const { changed, batchFree } = makeReady(parsed, model);
  const rewritten = blocked && splitPrelu(parsed, model) > 0;
  return { bytes: changed || rewritten ? writeOnnx(parsed, model) : bytes, batchFree };
}

/**
 * {@link readyToRun} of a parsed model, which is changed in place. Many recognisers are exported for a batch of one although
 * nothing in them needs it: their first dimension is made free, unless an operator may mix the faces of a batch.
 */
export function makeReady(
  parsed: ModelProto,
  model: string,
): { readonly changed: boolean; readonly batchFree: boolean } {
  const wasFree = isBatchFree(parsed, model);
  const freed = !wasFree && freeBatchOf(parsed, model) === undefined;
  const zeroed = zeroTinyWeights(parsed.graph!, model);
  return { changed: freed || zeroed > 0, batchFree: wasFree || freed };
}

/**
 * @returns the bytes of the file
 * @throws {FormatError} when they would be more than the format's 2 GiB
 */
export function writeOnnx(model: ModelProto, file: string): Uint8Array {
  const bytes = toBinary(ModelProtoSchema, model);
  if (bytes.length < largestFile) return bytes;
  throw new FormatError(
    file,
    `Expected a model below 2 GiB but it would take ${bytes.length} bytes: write it as fp16.`,
  );
}

const largestFile = 2 ** 31;

function graphValue({ name, type }: ValueInfoProto): GraphValue {
  const dims = type?.tensorType?.shape?.dim ?? [];
  return {
    name,
    dims: dims.map(({ value }) => (value.case === 'dimValue' ? Number(value.value) : (value.value ?? ''))),
  };
}

/**
 * SHA-256 over names, types, shapes and values of all weights, so that two files of the same weights are known as such,
 * whichever way each stores them.
 *
 * @throws {ModelError} `model_not_onnx`
 */
export function weightsDigest(bytes: Uint8Array, model: string): string {
  return digestOfWeights(parseOnnx(bytes, model), model);
}

/** @throws {FormatError} when a tensor is damaged */
export function digestOfWeights({ graph }: ModelProto, file: string): string {
  const hash = createHash('sha256');
  for (const proto of graph!.initializer) {
    if (dtypeOf(proto.dataType) === undefined) {
      hash.update(`${proto.name} ${proto.dataType} ${proto.dims.join('x')}\n`).update(proto.rawData);
      for (const text of proto.stringData) hash.update(`${text.length} `).update(text);
      continue;
    }
    const { dtype, dims, data } = tensorOf(proto, file);
    hash.update(`${proto.name} ${dtype} ${dims.join('x')}\n`);
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest('hex');
}
