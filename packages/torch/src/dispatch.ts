/** Calls libtorch's operators: looks each up once by name, passes handles in and returns tensors. */
import type { Handle } from './binding.ts';
import { fromNative, TorchError } from './errors.ts';
import { native } from './load.ts';
import type { Tensor } from './tensor.ts';

/** An operator of libtorch's dispatcher, looked up on its first call. */
export interface Operator {
  readonly name: string;
  id: number | undefined;
  /** For each result, whether it is a tensor or a list of tensors. */
  tensors: readonly boolean[];
}

/** @param name - such as `aten::add.Tensor`; looked up on the first call */
export function operator(name: string): Operator {
  return { name, id: undefined, tensors: [] };
}

/** An argument of an operator. */
export type Argument = Tensor | number | bigint | boolean | string | null | undefined | object | readonly Argument[];

interface TensorClass {
  /** Wraps a handle that the addon returned. */
  readonly fromHandle: (handle: Handle, madeBy: string) => Tensor;
  /** The handle of a tensor or a generator; undefined for other values. */
  readonly handleOf: (value: object) => unknown;
}

// tensor.ts sets this: Tensor inherits the generated methods, so they cannot import it.
let tensors: TensorClass;

/** @internal */
export function setTensorClass(made: TensorClass): void {
  tensors = made;
}

/**
 * Calls an operator, even one without a typed method: `invoke(operator('aten::erfinv'), [x])`.
 *
 * @param values - one per argument of the schema, in order; undefined means the schema's default
 * @throws {TorchError} naming the operator and the shapes of its arguments
 */
export function invoke<Result = Tensor>(op: Operator, values: readonly Argument[]): Result {
  const id = op.id ?? lookUp(op);
  const handles = values.map(unwrapped);
  try {
    const result = native().call(id, handles);
    if (op.tensors.length === 1) return wrapped(result, op, 0) as Result;
    return (Array.isArray(result) ? result.map((one, i) => wrapped(one, op, i)) : undefined) as Result;
  } catch (error) {
    throw fromNative(error);
  }
}

/** Runs code that calls the addon and converts native errors to their classes. */
export function guarded<T>(body: () => T): T {
  try {
    return body();
  } catch (error) {
    throw fromNative(error);
  }
}

/** Id of an operator, looked up by its full name. */
export function find(name: string): number {
  const [base = '', overload = ''] = name.split('.');
  const id = native().find(base, overload);
  if (id !== null) return id;
  throw new TorchError(`${name}: libtorch ${native().version} has no operator of this name`, { operator: name });
}

function lookUp(op: Operator): number {
  op.id = find(op.name);
  op.tensors = native()
    .schema(op.id)
    .returns.map((type) => type.startsWith('Tensor'));
  return op.id;
}

function unwrapped(value: Argument): unknown {
  if (Array.isArray(value)) return value.map(unwrapped);
  return typeof value === 'object' && value !== null ? (tensors.handleOf(value) ?? value) : value;
}

function wrapped(value: unknown, op: Operator, index: number): unknown {
  if (op.tensors[index] !== true || value === null) return value;
  if (Array.isArray(value)) return value.map((one) => wrapped(one, op, index));
  return tensors.fromHandle(value as Handle, op.name);
}
