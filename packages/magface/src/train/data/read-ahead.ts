/** Reads one ahead: while the caller is at work on an item, workers read the next. */
export async function* readAhead<Item, Read>(
  items: Iterable<Item>,
  read: (item: Item) => Promise<Read>,
): AsyncGenerator<Read> {
  let ready: Promise<Read> | undefined;
  for (const item of items) {
    const next = read(item);
    next.catch(() => {}); // an error is met when its turn comes
    if (ready !== undefined) yield await ready;
    ready = next;
  }
  if (ready !== undefined) yield await ready;
}
