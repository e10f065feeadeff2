/** Tensors as files hold them: a type, a shape and little-endian bytes. */
import { ShapeError } from '../errors.ts';

/** Bits per value of each type, by its safetensors name. */
export const dtypeBits = {
  BOOL: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  I64: 64,
  U64: 64,
  F64: 64,
  C64: 64,
  C128: 128,
} as const;

/** Data type of a tensor, by its name in safetensors. */
export type Dtype = keyof typeof dtypeBits;

/** A tensor's metadata, without its values. */
export interface TensorInfo {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
}

/** A tensor in memory. */
export interface Tensor extends TensorInfo {
  /** C order, little-endian. */
  readonly bytes: Uint8Array;
}

/** A file of named tensors, read one by one. */
export interface TensorFile {
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** @throws {FormatError} if the file contradicts its header */
  read(name: string): Promise<Tensor>;
  close(): Promise<void>;
}

/** @returns the number of values; NaN above 2^53 or if a size is invalid */
export function countOf(shape: readonly number[]): number {
  let count = 1;
  for (const size of shape) count = Number.isSafeInteger(size) && size >= 0 ? count * size : Number.NaN;
  return Number.isSafeInteger(count) ? count : Number.NaN;
}

/** @returns the size of a tensor's values in bytes; NaN if the shape is invalid or ends within a byte */
export function byteLengthOf({ dtype, shape }: TensorInfo): number {
  const bits = countOf(shape) * dtypeBits[dtype];
  return Number.isSafeInteger(bits) && bits % 8 === 0 ? bits / 8 : Number.NaN;
}

/**
 * Wraps float32 values as a tensor without copying them.
 *
 * @returns a tensor that shares the memory of `values`
 */
export function float32Tensor(shape: readonly number[], values: Float32Array): Tensor {
  return { dtype: 'F32', shape, bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) };
}

/**
 * Converts the values of any float or integer type to float32.
 *
 * @throws {ShapeError} for other types
 */
export function toFloat32({ dtype, bytes }: Tensor): Float32Array {
  const copy = new Uint8Array(bytes).buffer; // aligned; a Buffer.slice would be a view
  switch (dtype) {
    case 'F32':
      return new Float32Array(copy);
    case 'F64':
      return Float32Array.from(new Float64Array(copy));
    case 'F16':
      return Float32Array.from(new Uint16Array(copy), halfToFloat);
    case 'BF16':
      return new Float32Array(Uint32Array.from(new Uint16Array(copy), (bits) => bits << 16).buffer);
    case 'I64':
      return Float32Array.from(new BigInt64Array(copy), Number);
    case 'U64':
      return Float32Array.from(new BigUint64Array(copy), Number);
    case 'I32':
      return Float32Array.from(new Int32Array(copy));
    case 'U32':
      return Float32Array.from(new Uint32Array(copy));
    case 'I16':
      return Float32Array.from(new Int16Array(copy));
    case 'U16':
      return Float32Array.from(new Uint16Array(copy));
    case 'I8':
      return Float32Array.from(new Int8Array(copy));
    case 'U8':
    case 'BOOL':
      return Float32Array.from(new Uint8Array(copy));
    default:
      throw new ShapeError({
        expected: 'a numeric tensor that float32 can represent',
        received: dtype,
        remedy: 'convert it first',
      });
  }
}

/** Converts IEEE 754 binary16. */
export function halfToFloat(bits: number): number {
  const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
