/**
 * Python's pickle as data. A pickle is a program that may call anything; here every callable is looked up in an
 * allow-list of our own functions, and whatever is not on it is refused by name. Nothing of the file's ever runs.
 *
 * Lists and tuples become arrays, dicts Maps, None null, byte strings ranges of the file: a set of images stays on disk.
 *
 * @see https://github.com/python/cpython/blob/main/Lib/pickletools.py
 */
import type { ByteSource } from './byte-source.ts';
import { PickleMachine } from './pickle-machine.ts';
import { pickleOpcodes } from './pickle-opcodes.ts';

/** A callable of the allow-list. */
export interface PickleGlobal {
  /** What Python calls it. */
  readonly name: string;
  /** @throws {Unpicklable} when the arguments make no sense. @default it is a name alone, and calling it is refused */
  readonly call?: (args: readonly unknown[]) => unknown;
  /** Takes an object's state over, as `__setstate__` does. @default the state is dropped */
  readonly build?: (object: unknown, state: unknown) => void;
}

/** Bytes that a pickle holds, left where they are. */
export interface PickledBytes {
  readonly offset: number;
  readonly length: number;
}

export interface PickleOptions {
  /** By `module name`, such as `collections OrderedDict`. */
  readonly globals: ReadonlyMap<string, PickleGlobal>;
  /** Resolves what the pickler stored elsewhere. @default refused */
  readonly persistent?: ((id: unknown) => unknown) | undefined;
  /** What Python 2's `str` is. @default 'text' */
  readonly strings?: 'text' | 'bytes' | undefined;
  /** Byte where the pickle begins. @default 0 */
  readonly start?: number | undefined;
}

/** Far above any real file; below what a hostile one would need to fill the memory. */
const mostOpcodes = 5_000_000;
const stop = 0x2e;

/**
 * @returns the value, and the byte after the pickle
 * @throws {FormatError} at the byte where the pickle breaks off, contradicts itself or calls what is not allowed
 */
export function readPickle(source: ByteSource, options: PickleOptions): { value: unknown; end: number } {
  const machine = new PickleMachine(source, options);
  for (let steps = 0; steps < mostOpcodes; steps++) {
    const code = machine.next();
    if (code === stop) return { value: machine.pop(), end: machine.cursor.at };
    const run = pickleOpcodes[code];
    if (run === undefined) throw machine.error(`Expected a pickle but found the unknown opcode ${code}: is this one?`);
    run(machine);
  }
  throw machine.error(`Expected a pickle of at most ${mostOpcodes} opcodes but it goes on.`);
}
