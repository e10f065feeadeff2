/**
 * Reads Python's pickle as data. A pickle is a program that may call anything; here every callable is looked up in an
 * allow-list of our own functions, and all others are refused by name. No code of the file ever runs.
 *
 * Lists and tuples become arrays, dicts Maps, None null, byte strings ranges of the file: a set of images stays on disk.
 *
 * @see https://github.com/python/cpython/blob/main/Lib/pickletools.py
 */
import type { ByteSource } from './byte-source.ts';
import { PickleMachine } from './pickle-machine.ts';
import { pickleOpcodes } from './pickle-opcodes.ts';
import type { PickleOptions } from './pickle-values.ts';

/** Far above any real file, but too few for a malicious one to exhaust memory. */
const mostOpcodes = 5_000_000;
const stop = 0x2e;

/**
 * @returns the value, and the byte after the pickle
 * @throws {FormatError} with the offset where the pickle is truncated, invalid or calls a forbidden name
 */
export function readPickle(source: ByteSource, options: PickleOptions): { value: unknown; end: number } {
  const machine = new PickleMachine(source, options);
  for (let steps = 0; steps < mostOpcodes; steps++) {
    const code = machine.next();
    if (code === stop) return { value: machine.pop(), end: machine.cursor.at };
    const run = pickleOpcodes[code];
    if (run === undefined)
      throw machine.error({
        expected: 'a pickle',
        problem: `found the unknown opcode ${code}`,
        remedy: 'check that this is a file of torch.save',
      });
    run(machine);
  }
  throw machine.error({
    expected: `a pickle of at most ${mostOpcodes} opcodes`,
    problem: 'it is longer',
    remedy: 'save only the weights',
  });
}
