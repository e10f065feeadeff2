/**
 * Converts tensors of ONNX files to typed arrays, from raw little-endian bytes or from one of the typed lists.
 * `external.ts` reads external data first.
 */

import { create } from '@bufbuild/protobuf';
import { FormatError } from '../../errors.ts';
import type { Fault } from '../../fault.ts';
import { halfToFloat } from '../../format/tensor.ts';
import { halfBits } from './half.ts';
import { type TensorProto, TensorProtoSchema } from './onnx_pb.ts';

/** Remedy for a damaged model. */
export const exportAgain = 'export the model again';

/** Numeric data types. */
export type OnnxDtype =
  | 'float32'
  | 'float64'
  | 'float16'
  | 'bfloat16'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'int4'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'uint4'
  | 'bool';

interface Stored {
  /** The number in TensorProto.DataType. */
  readonly code: number;
  readonly bits: number;
  readonly array: { new (buffer: ArrayBuffer): OnnxData };
  /** The field with values that are not raw bytes. */
  readonly list: 'floatData' | 'doubleData' | 'int32Data' | 'int64Data' | 'uint64Data';
}

const dtypes: Readonly<Record<OnnxDtype, Stored>> = {
  float32: { code: 1, bits: 32, array: Float32Array, list: 'floatData' },
  uint8: { code: 2, bits: 8, array: Uint8Array, list: 'int32Data' },
  int8: { code: 3, bits: 8, array: Int8Array, list: 'int32Data' },
  uint16: { code: 4, bits: 16, array: Uint16Array, list: 'int32Data' },
  int16: { code: 5, bits: 16, array: Int16Array, list: 'int32Data' },
  int32: { code: 6, bits: 32, array: Int32Array, list: 'int32Data' },
  int64: { code: 7, bits: 64, array: BigInt64Array, list: 'int64Data' },
  bool: { code: 9, bits: 8, array: Uint8Array, list: 'int32Data' },
  /** Data are the bits. */
  float16: { code: 10, bits: 16, array: Uint16Array, list: 'int32Data' },
  float64: { code: 11, bits: 64, array: Float64Array, list: 'doubleData' },
  uint32: { code: 12, bits: 32, array: Uint32Array, list: 'uint64Data' },
  uint64: { code: 13, bits: 64, array: BigUint64Array, list: 'uint64Data' },
  /** Data are the bits. */
  bfloat16: { code: 16, bits: 16, array: Uint16Array, list: 'int32Data' },
  /** Data are unpacked, one value per element. */
  uint4: { code: 21, bits: 4, array: Uint8Array, list: 'int32Data' },
  int4: { code: 22, bits: 4, array: Int8Array, list: 'int32Data' },
};

/** The values, C order: float16 and bfloat16 as their bits, int4 and uint4 unpacked. */
export type OnnxData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** A tensor of an ONNX file. */
export interface OnnxTensor {
  readonly dims: readonly number[];
  readonly dtype: OnnxDtype;
  readonly data: OnnxData;
}

const byCode = new Map(Object.entries(dtypes).map(([name, { code }]) => [code as number, name as OnnxDtype]));

/** @returns the number of a type, as in `elem_type` and in Cast's attribute `to` */
export const dtypeCode = (dtype: OnnxDtype): number => dtypes[dtype].code;

/** @returns undefined for types that are not numeric, such as strings */
export const dtypeOf = (code: number): OnnxDtype | undefined => byCode.get(code);

/**
 * @param proto - an initializer, or the value of a Constant
 * @param file - for the message
 * @returns a copy of the values
 * @throws {FormatError} if its type is not numeric, its data are external, or their count does not match its shape
 */
export function tensorOf(proto: TensorProto, file = 'model'): OnnxTensor {
  const { dtype, dims, count } = expectTensor(proto, file);
  const { bits, array, list } = dtypes[dtype];
  if (proto.rawData.length === 0) return { dims, dtype, data: fromList(proto[list], dtype, count) };
  if (bits === 4) return { dims, dtype, data: unpacked(proto.rawData, dtype, count) };
  return { dims, dtype, data: new array(Uint8Array.from(proto.rawData).buffer) }; // copied: it may be unaligned in the file
}

/**
 * Checks the type and the number of values of a tensor without reading them.
 *
 * @throws {FormatError} as {@link tensorOf}
 */
export function expectTensor(
  proto: TensorProto,
  file: string,
): { readonly dtype: OnnxDtype; readonly dims: readonly number[]; readonly count: number } {
  const { name } = proto;
  const wrong = (what: string, found: Pick<Fault, 'received' | 'problem'>): FormatError =>
    new FormatError(
      file,
      { ...found, expected: `${what} in the tensor "${name}"`, remedy: exportAgain },
      { part: name },
    );
  const dtype = byCode.get(proto.dataType);
  if (dtype === undefined) throw wrong('a type of numbers', { received: `type ${proto.dataType}` });
  const dims = proto.dims.map(Number);
  const count = dims.reduce((product, size) => product * size, 1);
  if (dims.some((size) => size < 0) || !Number.isSafeInteger(count)) {
    throw wrong('possible sizes', { received: `(${dims.join(', ')})` });
  }
  if (proto.dataLocation === 1) throw wrong('the values', { problem: 'they are in another file' });
  const { bits, list } = dtypes[dtype];
  const raw = proto.rawData.length > 0;
  const stored = raw ? proto.rawData.length : proto[list].length;
  const needed = raw ? Math.ceil((count * bits) / 8) : listLength(dtype, count);
  if (stored !== needed) {
    throw wrong(`${needed} ${raw ? 'bytes' : 'values'} for (${dims.join(', ')}) ${dtype}`, { received: stored });
  }
  return { dtype, dims, count };
}

/** The list packs two 4-bit values into one int32, as bytes do. */
const listLength = (dtype: OnnxDtype, count: number): number =>
  dtypes[dtype].bits === 4 ? Math.ceil(count / 2) : count;

function fromList(list: readonly (number | bigint)[], dtype: OnnxDtype, count: number): OnnxData {
  const { bits, array } = dtypes[dtype];
  if (bits === 4) return unpacked(Uint8Array.from(list as number[]), dtype, count);
  if (bits === 64 && dtype !== 'float64') return (array as typeof BigInt64Array).from(list as bigint[]);
  return (array as unknown as typeof Int32Array).from(list as number[], Number);
}

function unpacked(bytes: Uint8Array, dtype: OnnxDtype, count: number): OnnxData {
  const nibble = (i: number): number => (bytes[i >> 1]! >> (4 * (i & 1))) & 15;
  const values = Uint8Array.from({ length: count }, (_, i) => nibble(i));
  return dtype === 'uint4' ? values : Int8Array.from(values, (value) => (value << 28) >> 28);
}

/**
 * Encodes a tensor as raw bytes.
 *
 * @returns an initializer of that name
 */
export function tensorProto(name: string, { dims, dtype, data }: OnnxTensor): TensorProto {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const rawData = dtypes[dtype].bits === 4 ? packed(bytes) : bytes;
  return create(TensorProtoSchema, { name, dims: dims.map(BigInt), dataType: dtypes[dtype].code, rawData });
}

function packed(values: Uint8Array): Uint8Array {
  const pair = (i: number): number => (values[2 * i]! & 15) | (((values[2 * i + 1] ?? 0) & 15) << 4);
  return Uint8Array.from({ length: Math.ceil(values.length / 2) }, (_, i) => pair(i));
}

/** @returns the values as float32, from any type; 64-bit values lose what float32 cannot hold */
export function floatsOf({ dtype, data }: OnnxTensor): Float32Array {
  if (dtype === 'float32') return data as Float32Array;
  if (dtype === 'float16') return Float32Array.from(data as Uint16Array, halfToFloat);
  if (dtype === 'bfloat16') return new Float32Array(Uint32Array.from(data as Uint16Array, (bits) => bits << 16).buffer);
  return Float32Array.from(data as ArrayLike<number | bigint>, Number);
}

/** Whether the values are floating-point numbers. */
export const isFloat = ({ dtype }: OnnxTensor): boolean => dtype.startsWith('float') || dtype === 'bfloat16';

/** @returns the integers, such as a shape or axes */
export function integersOf({ data }: OnnxTensor): number[] {
  return Array.from(data as ArrayLike<number | bigint>, Number);
}

/** A float32 tensor over the given values, sharing their memory. */
export const floatTensor = (dims: readonly number[], data: Float32Array): OnnxTensor => ({
  dims,
  dtype: 'float32',
  data,
});

/** @returns the tensor in half precision; values beyond ±65504 become infinite */
export function halved(tensor: OnnxTensor): OnnxTensor {
  return { dims: tensor.dims, dtype: 'float16', data: Uint16Array.from(floatsOf(tensor), halfBits) };
}
