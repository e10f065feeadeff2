/** Reading and writing ONNX files; fields that proto/onnx.proto does not list are preserved. */
import { createHash } from 'node:crypto';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { FormatError, ModelError } from '../../errors.ts';
import type { ByteSource } from '../../format/byte-source.ts';
import { freeBatchOf, isBatchFree } from '../passes/free-batch.ts';
import { splitPrelu } from '../passes/split-prelu.ts';
import { zeroTinyWeights } from '../passes/zero-tiny.ts';
import { readExternalData, tensorsIn } from './external.ts';
import { type ModelProto, ModelProtoSchema, StringStringEntryProtoSchema, type ValueInfoProto } from './onnx_pb.ts';
import { dtypeOf, expectTensor, exportAgain, tensorOf } from './tensor.ts';
import { findFault, initializerOffset } from './wire.ts';

/** An input or output of the graph; a dimension is a number, or the name (or '') of a free dimension. */
export interface GraphValue {
  readonly name: string;
  readonly dims: readonly (number | string)[];
}

/** What an ONNX file declares about itself. */
export interface OnnxSummary {
  readonly metadata: ReadonlyMap<string, string>;
  readonly inputs: readonly GraphValue[];
  readonly outputs: readonly GraphValue[];
  readonly producer: string;
}

/** @throws {ModelError} `model_not_onnx` if the bytes hold no graph; its cause is a FormatError with the position */
export function parseOnnx(bytes: Uint8Array, model: string): ModelProto {
  try {
    return parseModel(bytes, model);
  } catch (cause) {
    throw new ModelError(
      'model_not_onnx',
      model,
      {
        expected: 'an ONNX model',
        problem: `${model} is another kind of file`,
        remedy: 'give a file that ends in .onnx and was exported as ONNX, not a checkpoint of a framework',
      },
      { cause },
    );
  }
}

function parseModel(bytes: Uint8Array, file: string): ModelProto {
  let parsed: ModelProto;
  try {
    parsed = fromBinary(ModelProtoSchema, bytes);
  } catch (cause) {
    const { offset, what } = findFault(bytes) ?? { offset: 0, what: 'values that cannot be' };
    throw new FormatError(
      file,
      { expected: 'the messages of an ONNX file', received: what, remedy: exportAgain },
      { offset, cause },
    );
  }
  if (parsed.graph !== undefined && parsed.graph.node.length > 0 && parsed.irVersion > 0n) return parsed;
  throw new FormatError(
    file,
    { expected: 'an ONNX model', problem: 'it has no graph with nodes', remedy: exportAgain },
    { offset: 0 },
  );
}

/**
 * Reads and checks a whole model and all its weights, including external data.
 *
 * @param source - the file; external data are searched in its folder
 * @throws {FormatError} with the position of the invalid bytes
 */
export async function readOnnx(source: ByteSource): Promise<ModelProto> {
  if (source.size >= largestFile) {
    throw source.error(
      {
        expected: 'an ONNX file below 2 GiB (the most that its format allows)',
        problem: `it has ${source.size} bytes`,
        remedy: 'export it as fp16, or its weights into another file',
      },
      largestFile,
    );
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
    throw source.error(error, initializerOffset(bytes, Math.max(0, damaged)), error);
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
 * @param entries - keys to set, replacing existing ones
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

/** A recogniser prepared for inference. */
export interface ReadyModel {
  readonly bytes: Uint8Array;
  /** Whether it accepts any batch size. */
  readonly batchFree: boolean;
}

export interface ReadyOptions {
  /** Rewrite PReLU for a runtime with a blocked layout (`prelu.ts`). @default false */
  readonly blocked?: boolean;
}

/** @returns the same model with a free batch dimension where that is safe, and without negligible weights */
export function readyToRun(bytes: Uint8Array, model: string, { blocked = false }: ReadyOptions = {}): ReadyModel {
  const parsed = parseOnnx(bytes, model);
  const { changed, batchFree } = makeReady(parsed, model);
  const rewritten = blocked && splitPrelu(parsed, model) > 0;
  return { bytes: changed || rewritten ? writeOnnx(parsed, model) : bytes, batchFree };
}

/**
 * {@link readyToRun} of a parsed model, which is changed in place. Many recognisers are exported for a batch of one
 * without needing it. Their first dimension is made free, unless an operator may mix the faces of a batch.
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
 * @throws {FormatError} if they exceed the format's limit of 2 GiB
 */
export function writeOnnx(model: ModelProto, file: string): Uint8Array {
  const bytes = toBinary(ModelProtoSchema, model);
  if (bytes.length < largestFile) return bytes;
  throw new FormatError(file, {
    expected: 'a model below 2 GiB',
    problem: `it would take ${bytes.length} bytes`,
    remedy: 'write it as fp16',
  });
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
 * SHA-256 over names, types, shapes and values of all weights. It is the same for the same weights, however a file
 * stores them.
 *
 * @throws {ModelError} `model_not_onnx`
 */
export function weightsDigest(bytes: Uint8Array, model: string): string {
  return digestOfWeights(parseOnnx(bytes, model), model);
}

/** @throws {FormatError} if a tensor is damaged */
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
