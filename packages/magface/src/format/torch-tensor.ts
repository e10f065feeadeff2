/** Tensors of a `.pth` before their values are read: views of storages. */
import type { Dtype } from './tensor.ts';

/** A run of values in the file that tensors can share as strided views. */
export interface TorchStorage {
  readonly key: string;
  /** Type of its values; bytes for an untyped storage. */
  readonly dtype: Dtype;
  readonly count: number;
}

/** A pickle with access to its storages. */
export interface TorchContent {
  readonly value: unknown;
  /** @returns bytes of a storage; the range must lie within it */
  readStorage(storage: TorchStorage, range: { readonly offset: number; readonly length: number }): Promise<Buffer>;
}

/** A tensor of a pickle; its values stay in the file. */
export class TorchTensor {
  readonly storage: TorchStorage;
  readonly dtype: Dtype;
  /** In values, like strides. */
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
