/** Tensors of a `.pth` before their values are read: views of storages. */
import type { Dtype } from './tensor.ts';

/** A run of values in the file, which tensors share by strides. */
export interface TorchStorage {
  readonly key: string;
  /** Of its values; an untyped one has bytes. */
  readonly dtype: Dtype;
  readonly count: number;
}

/** A pickle with the way to its storages' bytes. */
export interface TorchContent {
  readonly value: unknown;
  /** @returns bytes of a storage, the range held within it */
  readStorage(storage: TorchStorage, range: { readonly offset: number; readonly length: number }): Promise<Buffer>;
}

/** A tensor of a pickle, its values still in the file. */
export class TorchTensor {
  readonly storage: TorchStorage;
  readonly dtype: Dtype;
  /** In values, as are strides. */
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];

  constructor(view: Omit<TorchTensor, 'storage'>, storage: TorchStorage) {
    this.storage = storage;
    this.dtype = view.dtype;
    this.offset = view.offset;
    this.shape = view.shape;
    this.strides = view.strides;
  }
}
