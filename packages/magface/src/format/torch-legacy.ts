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
      {
        expected: 'a file of torch.save (zip or legacy)',
        problem: 'its first bytes fit neither',
        remedy: 'check that this is a checkpoint',
      },
      0,
    );
  }
  const facts = next();
  if (facts instanceof Map && facts.get('little_endian') === false) {
    throw source.error(
      {
        expected: 'little-endian data',
        problem: 'the file was written on a big-endian machine',
        remedy: 'convert it there',
      },
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
    throw new Unpicklable('storages that are no views of others', 'one is');
  const known = storages.get(storage.key) ?? storage;
  if (known.dtype !== storage.dtype || known.count !== storage.count) {
    throw new Unpicklable(`storage ${storage.key.slice(0, 20)} with one type and count`, 'it has several');
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
      {
        expected: 'the list of storages after the data',
        problem: 'found something else',
        remedy: 'copy the file again',
      },
      at,
    );
  let start = at;
  for (const key of keys) {
    const storage = typeof key === 'string' ? storages.get(key) : undefined;
    if (storage === undefined)
      throw source.error(
        { expected: 'only storages that a tensor uses', problem: 'found another', remedy: 'copy the file again' },
        start,
      );
    const count = source.readSync(start, 8).readBigInt64LE(0);
    if (count !== BigInt(storage.count) || storage.start !== undefined) {
      throw source.error(
        {
          expected: `one storage of ${storage.count} values`,
          received: storage.start === undefined ? String(count) : 'a second one',
          remedy: 'copy the file again',
        },
        start,
      );
    }
    storage.start = start + 8;
    start += 8 + (storage.count * dtypeBits[storage.dtype]) / 8;
    if (start > source.size)
      throw source.error(
        { expected: 'more values', problem: 'the file ends', remedy: 'it may be truncated, so copy it again' },
        source.size,
      );
  }
}
