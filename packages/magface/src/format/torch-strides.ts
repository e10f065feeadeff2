/** Tensors as views of storages: finds their bytes and converts them to C order. */
import { byteLengthOf, countOf, dtypeBits } from './tensor.ts';
import type { TorchTensor } from './torch-tensor.ts';

/** Stride 0 repeats values at no cost in the file, so larger tensors must not exceed their storage. */
const mostRepeatedBytes = 1 << 26;

/** @returns the range of its storage that a tensor uses; undefined if it is out of bounds */
export function torchRange(tensor: TorchTensor): { offset: number; length: number } | undefined {
  const { shape, strides, storage, dtype, offset } = tensor;
  const itemBytes = dtypeBits[dtype] / 8;
  const storageBytes = (storage.count * dtypeBits[storage.dtype]) / 8;
  const bytes = countOf(shape) * itemBytes;
  if (bytes === 0) return { offset: 0, length: 0 };
  const last = shape.reduce((sum, size, axis) => sum + (size - 1) * (strides[axis] ?? 0), 0);
  const length = (last + 1) * itemBytes;
  const isInside = offset * itemBytes + length <= storageBytes;
  return isInside && bytes <= Math.max(storageBytes, mostRepeatedBytes)
    ? { offset: offset * itemBytes, length }
    : undefined;
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
