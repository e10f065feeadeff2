/**
 * Tensor memory: a scope frees every tensor made inside it, except the ones it is told to keep.
 *
 *     using step = scope();
 *     const loss = model(images).mean();
 *     return step.keep(loss);
 */
import { ScopeError } from './errors.ts';

/** Something a scope can own. */
export interface Owned {
  /** Frees the memory now. */
  dispose(): void;
  /** @internal Leaves it to the garbage collector. */
  abandon(): void;
}

const open: TensorScope[] = [];

/** Gives a new value to the innermost open scope, or to the garbage collector if none is open. */
export function own(value: Owned): void {
  giveTo(open.at(-1), value);
}

function giveTo(owner: TensorScope | undefined, value: Owned): void {
  if (owner === undefined) value.abandon();
  else owner.add(value);
}

/** Owns the tensors made while it is open. Created by {@link scope}. */
export class TensorScope implements Disposable {
  readonly #owned = new Set<Owned>();
  #closed = false;
  #awaited = false;

  /** @internal */
  add(value: Owned): void {
    this.#owned.add(value);
  }

  /**
   * Lets a tensor outlive this scope. The enclosing scope, if any, then owns it.
   * @returns the same tensor
   */
  keep<T extends Owned>(value: T): T {
    if (this.#owned.delete(value)) giveTo(open[open.indexOf(this) - 1], value);
    return value;
  }

  /** Number of tensors it owns. */
  get size(): number {
    return this.#owned.size;
  }

  /** @internal Notes whether it was still open when the code that opened it reached an `await`. */
  markIfOpen(): void {
    this.#awaited = !this.#closed;
  }

  /** Frees its tensors. @throws {ScopeError} if an inner scope is still open, or if the scope spanned an `await` */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    const inner = open.length - 1 - open.indexOf(this);
    open.splice(open.indexOf(this));
    for (const value of this.#owned) value.dispose();
    this.#owned.clear();
    if (inner > 0) {
      throw new ScopeError({
        expected: 'inner scopes to close first',
        problem: `${inner} opened later ${inner === 1 ? 'is' : 'are'} still open`,
        remedy: 'declare each with `using`',
      });
    }
    if (this.#awaited) {
      throw new ScopeError({
        expected: 'the scope to close before the next `await`',
        problem: 'it stayed open, so that other code could create tensors in it',
        remedy: 'await first, then open the scope',
      });
    }
  }
}

/** Opens a scope: `using step = scope()`. Scopes are synchronous and must not span an `await`. */
export function scope(): TensorScope {
  const made = new TensorScope();
  open.push(made);
  queueMicrotask(() => made.markIfOpen());
  return made;
}
