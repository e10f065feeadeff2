/**
 * Errors of this package. Each message says what was expected, what was received and what to do. Programs should test
 * `code`, which is stable; `message` may change.
 */

/** What went wrong, in parts of a sentence: the same fields as the errors of `magface` have. */
export interface Fault {
  /** What was expected. */
  readonly expected: string;
  /** What is wrong: `it was freed`. */
  readonly problem: string;
  /** What to do, without a full stop. */
  readonly remedy: string;
}

/** Base class of the errors whose message is made of fields: `Expected EXPECTED but PROBLEM: REMEDY.` */
class FaultError extends Error implements Fault {
  readonly expected: string;
  readonly problem: string;
  readonly remedy: string;

  constructor({ expected, problem, remedy }: Fault, options?: ErrorOptions) {
    super(`Expected ${expected} but ${problem}: ${remedy}.`, options);
    this.expected = expected;
    this.problem = problem;
    this.remedy = remedy;
  }
}

/** libtorch rejected an operator, or this package rejected an argument. The message names the operator and its shapes. */
export class TorchError extends Error {
  override readonly name: string = 'TorchError';
  readonly code = 'operator_refused';
  /** Name of the operator, such as `aten::conv2d`. */
  readonly operator: string;
  /** Types and shapes of the tensor arguments, in order; empty if there were none. */
  readonly shapes: string;
  /** libtorch's message with its C++ stack; `stack` is JavaScript's. Not enumerable, to keep logs short. */
  declare readonly nativeStack: string;

  constructor(message: string, parts: { operator: string; shapes?: string; nativeStack?: string }) {
    super(message);
    this.operator = parts.operator;
    this.shapes = parts.shapes ?? '';
    Object.defineProperty(this, 'nativeStack', { value: parts.nativeStack ?? '' });
  }
}

/** A tensor was used after it was freed. The message names the operator that made it. */
export class UseAfterFreeError extends FaultError {
  override readonly name: string = 'UseAfterFreeError';
  readonly code = 'used_after_free';
}

/** A scope was closed out of order or kept open across an `await`. */
export class ScopeError extends FaultError {
  override readonly name: string = 'ScopeError';
  readonly code = 'scope_misused';
}

/** libtorch or the addon is missing, or does not compile or load. The message lists the remedies. */
export class LibtorchError extends FaultError {
  override readonly name: string = 'LibtorchError';
  readonly code = 'libtorch_missing';
}

/** A collective failed because a rank did not take part. */
export class RankLostError extends FaultError {
  override readonly name: string = 'RankLostError';
  readonly code = 'rank_lost';
  /** Ranks that did not answer; empty if they cannot be determined. */
  readonly missing: readonly number[];

  constructor(fault: Fault, parts: { missing: readonly number[]; cause: unknown }) {
    super(fault, { cause: parts.cause });
    this.missing = parts.missing;
  }
}

interface NativeError extends Error {
  readonly operator?: string;
  readonly shapes?: string;
  readonly nativeStack?: string;
}

/** Converts an error of the addon to its class and keeps its stack. */
export function fromNative(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { message, operator, shapes = '', nativeStack = '', stack }: NativeError = error;
  if (operator === undefined || error instanceof TorchError) return error;
  const typed = new TorchError(message, { operator, shapes, nativeStack });
  if (stack !== undefined) typed.stack = stack.replace(/^Error/, 'TorchError');
  return typed;
}
