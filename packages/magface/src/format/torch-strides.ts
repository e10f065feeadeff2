/** Tensors as views of storages: which bytes they need, and those bytes in C order. */
import type { ByteSource } from './byte-source.ts';
import { byteLengthOf, countOf, dtypeBits } from './tensor.ts';
import type { TorchTensor } from './torch-globals.ts';

/**
 * @returns the bytes of its storage that a tensor reaches
 * @throws {FormatError} when it reaches beyond its storage, or is larger than its storage in a way that no weights are
 */
export function torchRange(source: ByteSource, name: string, tensor: TorchTensor): { offset: number; length: number } {
  const { shape, strides, storage, dtype, offset } = tensor;
  const itemBytes = dtypeBits[dtype] / 8;
  const storageBytes = (storage.count * dtypeBits[storage.dtype]) / 8;
  const count = countOf(shape);
  if (count === 0) return { offset: 0, length: 0 };
  const last = shape.reduce((sum, size, axis) => sum + (size - 1) * (strides[axis] ?? 0), 0);
  const length = (last + 1) * itemBytes;
  if (!(offset * itemBytes + length <= storageBytes)) {
    throw source.error(`Expected ${name} inside its storage of ${storageBytes} bytes but it reaches beyond.`);
  }
  // Values repeated by a stride of 0 cost no bytes of the file, so nothing else bounds them.
  if (count * itemBytes > storageBytes && count * itemBytes > 1 << 26) {
    throw source.error(`Expected ${name} of at most its storage's ${storageBytes} bytes but it has ${count} values.`);
  }
  return { offset: offset * itemBytes, length };
}

/** @param reached - the bytes of {@link torchRange} */
export function stridedBytes({ dtype, shape, strides }: TorchTensor, reached: Buffer): Uint8Array {
  if (isContiguous(shape, strides)) return reached;
  const itemBytes = dtypeBits[dtype] / 8;
  const bytes = new Uint8Array(byteLengthOf({ dtype, shape }));
  const index = shape.map(() => 0);
  let from = 0;
  for (let to = 0; to < bytes.length; to += itemBytes) {
    for (let i = 0; i < itemBytes; i++) bytes[to + i] = reached[from * itemBytes + i]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= shape[axis]! * strides[axis]!;
      index[axis] = 0;
    }
  }
  return bytes;
}

function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis]! !== 1 && strides[axis] !== expected) return false;
    expected *= shape[axis]!;
  }
  return true;
}
