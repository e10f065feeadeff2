/** Sources of images that may be slow: a camera, a network, a watched folder. */

/** Yielded by {@link inTime} while the source is slow. */
export const idle: unique symbol = Symbol('idle');

/** Milliseconds after which a source counts as slow: longer than reading a file takes. */
const patience = 50;

/**
 * @yields each item, and `idle` if the next takes over 50 ms
 * @throws the signal's reason at once, without waiting for the source
 */
export async function* inTime<Item>(
  items: Iterable<Item> | AsyncIterable<Item>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Item | typeof idle> {
  const source = each(items);
  const abort = whenAborted(signal);
  let coming: Promise<IteratorResult<Item, void>> | undefined;
  try {
    for (;;) {
      signal?.throwIfAborted();
      coming = source.next();
      const next = Promise.race([coming, abort.promise]);
      if ((await orIdle(next)) === idle) yield idle;
      const { done, value } = await next;
      coming = undefined;
      if (done === true) return;
      yield value;
    }
  } finally {
    abort.forget();
    const closing = source.return();
    // A source with a pending item closes once it arrives; do not wait for that.
    if (coming === undefined) await closing;
    else void Promise.allSettled([coming, closing]);
  }
}

async function* each<Item>(items: Iterable<Item> | AsyncIterable<Item>): AsyncGenerator<Item, void> {
  yield* items;
}

/** The value, or `idle` if it takes too long. */
function orIdle<Value>(value: Promise<Value>): Promise<Value | typeof idle> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(idle), patience);
    value.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** Never resolves; rejects with the signal's reason. */
function whenAborted(signal: AbortSignal | undefined): { readonly promise: Promise<never>; forget(): void } {
  let stop = (): void => {};
  const promise = new Promise<never>((_, reject) => {
    stop = () => reject(signal!.reason);
  });
  promise.catch(() => undefined); // handled where it is awaited
  signal?.addEventListener('abort', stop);
  return { promise, forget: () => signal?.removeEventListener('abort', stop) };
}
