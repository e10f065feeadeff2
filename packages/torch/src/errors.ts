/**
 * Errors of this package. Each message is a sentence that says what was expected, what came and what to do; `code` is
 * stable and for programs, `message` is for people and may change.
 */

/** An operator that libtorch refused, or an argument that this package did. The message names it and the shapes that it was given. */
export class TorchError extends Error {
  override readonly name: string = 'TorchError';
  readonly code = 'operator_refused';
  /** Such as `aten::conv2d`. */
  readonly operator: string;
  /** Types and shapes of the tensors it was given, in order; empty when none were. */
  readonly shapes: string;
  /** libtorch's own message with its C++ stack; `stack` is JavaScript's. Not enumerable, so that logs stay short. */
  declare readonly nativeStack: string;

  constructor(message: string, parts: { operator: string; shapes?: string; nativeStack?: string }) {
    super(message);
    this.operator = parts.operator;
    this.shapes = parts.shapes ?? '';
    Object.defineProperty(this, 'nativeStack', { value: parts.nativeStack ?? '' });
  }
}

/** A tensor used after its scope closed, with the operator that made it. */
export class UseAfterFreeError extends Error {
  override readonly name: string = 'UseAfterFreeError';
  readonly code = 'used_after_free';
}

/** Scopes closed out of order, held open across an `await`, or asked to keep what is not theirs. */
export class ScopeError extends Error {
  override readonly name: string = 'ScopeError';
  readonly code = 'scope_misused';
}

/** libtorch or the addon over it is not there, or does not compile or load; with each remedy. */
export class LibtorchError extends Error {
  override readonly name: string = 'LibtorchError';
  readonly code = 'libtorch_missing';
}

/** A collective that not all ranks came to. */
export class RankLostError extends Error {
  override readonly name: string = 'RankLostError';
  readonly code = 'rank_lost';
  /** Ranks that did not answer; empty when that cannot be told. */
  readonly missing: readonly number[];

  constructor(message: string, parts: { missing: readonly number[]; cause: unknown }) {
    super(message, { cause: parts.cause });
    this.missing = parts.missing;
  }
}

interface NativeError extends Error {
  readonly operator?: string;
  readonly shapes?: string;
  readonly nativeStack?: string;
}

/** Gives an error of the addon its class, and keeps the stack of where it was thrown. */
export function fromNative(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { message, operator, shapes = '', nativeStack = '', stack }: NativeError = error;
  if (operator === undefined || error instanceof TorchError) return error;
  const typed = new TorchError(message, { operator, shapes, nativeStack });
  if (stack !== undefined) typed.stack = stack.replace(/^Error/, 'TorchError');
  return typed;
}
