/** Reads one item ahead: workers read the next while the caller uses the current one. */
export async function* readAhead<Item, Read>(
  items: Iterable<Item>,
  read: (item: Item) => Promise<Read>,
): AsyncGenerator<Read> {
  let ready: Promise<Read> | undefined;
  for (const item of items) {
    const next = read(item);
    next.catch(() => {}); // the error is thrown when it is awaited
    if (ready !== undefined) yield await ready;
    ready = next;
  }
  if (ready !== undefined) yield await ready;
}
