/**
 * Memory of tensors: a scope frees all that was made inside it and not kept.
 *
 *     using step = scope();
 *     const loss = model(images).mean();
 *     return step.keep(loss);
 */
import { ScopeError } from './errors.ts';

/** What a scope owns. */
export interface Owned {
  /** Gives the memory back now. */
  dispose(): void;
  /** @internal No scope owns it: the garbage collector shall. */
  abandon(): void;
}

const open: TensorScope[] = [];

/** The innermost open scope owns what is made from here on; without one, the garbage collector does. */
export function own(value: Owned): void {
  giveTo(open.at(-1), value);
}

function giveTo(owner: TensorScope | undefined, value: Owned): void {
  if (owner === undefined) value.abandon();
  else owner.add(value);
}

/** Owns the tensors made while it is open. Made by {@link scope}. */
export class TensorScope implements Disposable {
  readonly #owned = new Set<Owned>();
  #closed = false;
  #awaited = false;

  /** @internal */
  add(value: Owned): void {
    this.#owned.add(value);
  }

  /**
   * Lets a tensor outlive this scope; the scope around it, if any, owns it then.
   * @returns the same tensor.
   */
  keep<T extends Owned>(value: T): T {
    if (this.#owned.delete(value)) giveTo(open[open.indexOf(this) - 1], value);
    return value;
  }

  /** How many tensors it owns now. */
  get size(): number {
    return this.#owned.size;
  }

  /** @internal Whether it was still open when the code that opened it came to an `await`. */
  markIfOpen(): void {
    this.#awaited = !this.#closed;
  }

  /** Frees what it owns. A scope inside that is still open, or an `await` on the way, is a mistake and throws. */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    const inner = open.length - 1 - open.indexOf(this);
    open.splice(open.indexOf(this));
    for (const value of this.#owned) value.dispose();
    this.#owned.clear();
    if (inner > 0) {
      throw new ScopeError(
        `Expected scopes to close from the inside out but ${inner} opened later ${inner === 1 ? 'is' : 'are'} still open: declare each with \`using\`.`,
      );
    }
    if (this.#awaited) {
      throw new ScopeError(
        'Expected a scope to close before the next `await`, since other code would make its tensors in it meanwhile: await first, then open it.',
      );
    }
  }
}

/** Opens a scope: `using step = scope()`. Scopes are synchronous; none may span an `await`. */
export function scope(): TensorScope {
  const made = new TensorScope();
  open.push(made);
  queueMicrotask(() => made.markIfOpen());
  return made;
}
