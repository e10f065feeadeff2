/** libtorch tensors. The methods named as in PyTorch come from ops.gen.ts; this file has the rest. */
import type { Device, DType, Handle } from './binding.ts';
import { guarded, setTensorClass } from './dispatch.ts';
import { TorchError, UseAfterFreeError } from './errors.ts';
import { Generator } from './generator.ts';
import { native } from './load.ts';
import { TensorOps } from './ops.gen.ts';
import { own, scope } from './scope.ts';

/** Frees unreachable tensors that no scope owns. */
const net = new FinalizationRegistry<Handle>((handle) => native().free(handle));

/** Typed arrays that hold a tensor's values. */
export type Values = Float32Array | Float64Array | BigInt64Array | Int32Array | Int16Array | Int8Array | Uint8Array;

/** A tensor. The scope it was made in frees it: see {@link scope}. */
export class Tensor extends TensorOps {
  #handle: Handle | undefined;
  readonly #madeBy: string;

  /** @internal */
  constructor(handle: Handle, madeBy: string) {
    super();
    this.#handle = handle;
    this.#madeBy = madeBy;
    own(this);
  }

  /** @internal */
  get handle(): Handle {
    if (this.#handle !== undefined) return this.#handle;
    throw new UseAfterFreeError({
      expected: 'a live tensor',
      problem: `the one made by ${this.#madeBy} was freed`,
      remedy: 'keep it with scope.keep(tensor), or use it inside its scope',
    });
  }

  /** Size of each dimension. */
  get shape(): readonly number[] {
    return guarded(() => native().shape(this.handle));
  }

  /** Size of one dimension; negative indices count from the last. */
  size(dimension: number): number {
    const size = this.shape.at(dimension);
    if (size !== undefined) return size;
    throw new TorchError(`Expected a dimension of (${this.shape.join(', ')}) but received ${dimension}`, {
      operator: 'size',
    });
  }

  get dtype(): DType {
    return guarded(() => native().dtype(this.handle));
  }

  get device(): Device {
    return guarded(() => native().device(this.handle));
  }

  /** Number of elements. */
  get length(): number {
    return this.shape.reduce((product, size) => product * size, 1);
  }

  /** Whether autograd records operations on it. Can be set only on leaves. */
  get requiresGrad(): boolean {
    return guarded(() => native().requiresGrad(this.handle));
  }
  set requiresGrad(on: boolean) {
    guarded(() => native().requiresGrad(this.handle, on));
  }

  /** The gradient that {@link Tensor.backward} stored, or undefined. The innermost scope owns the returned tensor. */
  get grad(): Tensor | undefined {
    const handle = guarded(() => native().gradient(this.handle));
    return handle === null ? undefined : new Tensor(handle, 'grad');
  }
  set grad(value: Tensor | undefined) {
    guarded(() => native().setGradient(this.handle, value?.handle));
  }

  /**
   * Adds this tensor's gradients to `grad` of the leaves it was computed from.
   *
   * @param gradient - of the same shape; optional if this tensor has one element
   */
  backward(gradient?: Tensor, options: { readonly retainGraph?: boolean } = {}): void {
    guarded(() => native().backward(this.handle, gradient?.handle, options.retainGraph ?? false));
  }

  /** Copies the values from any device: bfloat16 and float16 become Float32Array, int64 BigInt64Array. */
  toArray(): Values {
    using _ = scope();
    const host = this.detach()
      .to({ device: 'cpu', ...asReadable(this.dtype) })
      .contiguous();
    return arrayOver(guarded(() => native().bytes(host.handle)).slice(0), host.dtype);
  }

  /**
   * The tensor's memory, not a copy: writing to it changes the tensor. It stays valid after the tensor is freed.
   * The tensor must be contiguous, on the CPU, and of a type that has a typed array.
   */
  view(): Values {
    this.#view ??= arrayOver(
      guarded(() => native().bytes(this.handle)),
      this.dtype,
    );
    return this.#view;
  }
  #view: Values | undefined;

  /** The only element, as a number. */
  item(): number {
    if (this.length !== 1) {
      throw new TorchError(`Expected a tensor with one element but received (${this.shape.join(', ')})`, {
        operator: 'item',
      });
    }
    return Number(this.toArray()[0]);
  }

  /** Whether it was freed. */
  get disposed(): boolean {
    return this.#handle === undefined;
  }

  /** Frees it now; scopes call this. Autograd keeps what it still needs. */
  dispose(): void {
    if (this.#handle === undefined) return;
    net.unregister(this);
    native().free(this.#handle);
    this.#handle = undefined;
  }

  /** @internal */
  abandon(): void {
    native().collectable(this.handle);
    net.register(this, this.handle, this);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

const asReadable = (dtype: DType): { dtype: DType } =>
  dtype === 'bfloat16' || dtype === 'float16' ? { dtype: 'float32' } : { dtype: dtype === 'bool' ? 'uint8' : dtype };

function arrayOver(buffer: ArrayBuffer, dtype: DType): Values {
  switch (dtype) {
    case 'float32':
      return new Float32Array(buffer);
    case 'float64':
      return new Float64Array(buffer);
    case 'int64':
      return new BigInt64Array(buffer);
    case 'int32':
      return new Int32Array(buffer);
    case 'int16':
      return new Int16Array(buffer);
    case 'int8':
      return new Int8Array(buffer);
    case 'uint8':
    case 'bool':
      return new Uint8Array(buffer);
    default:
      throw new TorchError(`Expected a type with a JavaScript typed array but the tensor is ${dtype}: use toArray()`, {
        operator: 'view',
      });
  }
}

function dtypeOf(values: Values): DType {
  if (values instanceof Float32Array) return 'float32';
  if (values instanceof Float64Array) return 'float64';
  if (values instanceof BigInt64Array) return 'int64';
  if (values instanceof Int32Array) return 'int32';
  if (values instanceof Int16Array) return 'int16';
  if (values instanceof Int8Array) return 'int8';
  return 'uint8';
}

/**
 * A tensor that shares an array's memory: a write to one shows in the other. The tensor keeps the array alive.
 *
 * @param shape - must have as many elements as the array
 */
export function fromArray(values: Values, shape: readonly number[] = [values.length]): Tensor {
  const count = shape.reduce((product, size) => product * size, 1);
  if (count !== values.length) {
    throw new TorchError(`Expected ${count} values for shape (${shape.join(', ')}) but received ${values.length}`, {
      operator: 'fromArray',
    });
  }
  return new Tensor(
    guarded(() => native().fromTypedArray(values, shape, dtypeOf(values))),
    'fromArray',
  );
}

setTensorClass({
  fromHandle: (handle, madeBy) => new Tensor(handle, madeBy),
  handleOf: (value) => (value instanceof Tensor || value instanceof Generator ? value.handle : undefined),
});
