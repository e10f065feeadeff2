/**
 * The format before torch 1.6: five pickles (a magic number, the version, machine information, the data, the storages'
 * keys), then for each key its count in eight bytes and its values.
 */
import type { ByteSource } from './byte-source.ts';
import { readPickle } from './pickle.ts';
import { Unpicklable } from './pickle-machine.ts';
import type { PickleGlobal } from './pickle-values.ts';
import { dtypeBits } from './tensor.ts';
import { storageOf, torchGlobals } from './torch-globals.ts';
import type { TorchContent, TorchStorage } from './torch-tensor.ts';

const magic = 0x1950a86a20f9469cfc6cn;
const protocol = 1001;

/** A storage's position, known after all pickles are read. */
interface Place extends TorchStorage {
  start?: number;
}

export async function readLegacyTorch(source: ByteSource): Promise<TorchContent> {
  let at = 0;
  const storages = new Map<string, Place>();
  const persistent = (id: unknown): TorchStorage => legacyStorage(id, storages);
  const next = (globals: ReadonlyMap<string, PickleGlobal> = new Map()): unknown => {
    const { value, end } = readPickle(source, { globals, persistent, start: at });
    at = end;
    return value;
  };
  if (source.size === 0 || next() !== magic || next() !== protocol) {
    throw source.error(
      'Expected a file of torch.save, zip or legacy, but its first bytes fit neither: check that this is a checkpoint.',
      0,
    );
  }
  const facts = next();
  if (facts instanceof Map && facts.get('little_endian') === false) {
    throw source.error(
      'Expected little-endian data but the file was written on a big-endian machine: convert it there.',
      at,
    );
  }
  const value = next(torchGlobals);
  const keys = next();
  placeStorages(source, { at, keys, storages });
  return {
    value,
    readStorage: ({ key }, { offset, length }) =>
      source.read((storages.get(key)?.start ?? source.size) + offset, length),
  };
}

/** As {@link storageOf}, with a view into another storage after the count: offset and size, or None. */
function legacyStorage(id: unknown, storages: Map<string, Place>): TorchStorage {
  const storage = storageOf(id);
  if (Array.isArray(id) && id.length > 5 && id[5] !== null)
    throw new Unpicklable('storages that are no views of others');
  const known = storages.get(storage.key) ?? storage;
  if (known.dtype !== storage.dtype || known.count !== storage.count) {
    throw new Unpicklable(`storage ${storage.key.slice(0, 20)} with one type and count`);
  }
  storages.set(storage.key, known);
  return known;
}

function placeStorages(
  source: ByteSource,
  { at, keys, storages }: { at: number; keys: unknown; storages: ReadonlyMap<string, Place> },
): void {
  if (!Array.isArray(keys))
    throw source.error(
      'Expected the list of storages after the data but found something else: copy the file again.',
      at,
    );
  let start = at;
  for (const key of keys) {
    const storage = typeof key === 'string' ? storages.get(key) : undefined;
    if (storage === undefined)
      throw source.error('Expected only storages that a tensor uses but found another: copy the file again.', start);
    const count = source.readSync(start, 8).readBigInt64LE(0);
    if (count !== BigInt(storage.count) || storage.start !== undefined) {
      throw source.error(
        `Expected ${storage.count} values in this storage, once, but found ${count}: copy the file again.`,
        start,
      );
    }
    storage.start = start + 8;
    start += 8 + (storage.count * dtypeBits[storage.dtype]) / 8;
    if (start > source.size)
      throw source.error('Expected more values but the file ends: it may be truncated, so copy it again.', source.size);
  }
}
