/** The stack, the memo and the allow-list that a pickle's opcodes work on. */
import type { Fault } from '../fault.ts';
import type { ByteSource } from './byte-source.ts';
import { PickleCursor } from './pickle-cursor.ts';
import type { PickledBytes, PickleGlobal, PickleOptions } from './pickle-values.ts';

const mark = Symbol('mark');
/** An empty Map takes 200 bytes of memory for one byte of a file. */
const mostContainers = 1_000_000;

export const copyAgain = 'the file is damaged, so copy it again';
export const writeAgain = 'write the file again';

/** Says what an allowed callable expected; becomes a FormatError with the offset. */
export class Unpicklable extends Error {
  readonly expected: string;
  readonly problem: string;

  constructor(expected: string, problem = 'found something else') {
    super(`${expected}: ${problem}`);
    this.expected = expected;
    this.problem = problem;
  }
}

export class PickleMachine {
  readonly cursor: PickleCursor;
  readonly #source: ByteSource;
  readonly #options: PickleOptions;
  readonly #stack: unknown[] = [];
  readonly #memo = new Map<number, unknown>();
  readonly #makers = new Map<unknown, PickleGlobal>();
  #opcodeAt = 0;
  #containers = 0;

  constructor(source: ByteSource, options: PickleOptions) {
    this.cursor = new PickleCursor(source, options.start ?? 0);
    this.#source = source;
    this.#options = options;
  }

  /** @returns the next opcode, to which later errors refer */
  next(): number {
    this.#opcodeAt = this.cursor.at;
    return this.cursor.byte();
  }

  push(value: unknown): void {
    this.#stack.push(value);
  }

  /** Pushes a new list, tuple, dict or set. */
  pushContainer(value: unknown): void {
    if (++this.#containers > mostContainers)
      throw this.error({
        expected: `at most ${mostContainers} lists and dicts`,
        problem: 'there are more',
        remedy: 'save only the weights',
      });
    this.#stack.push(value);
  }

  mark(): void {
    this.#stack.push(mark);
  }

  pop(): unknown {
    const value = this.top();
    this.#stack.pop();
    return value;
  }

  top(): unknown {
    const value = this.#stack.at(-1);
    if (this.#stack.length > 0 && value !== mark) return value;
    throw this.error({ expected: 'a value on the stack of the pickle', problem: 'there is none', remedy: copyAgain });
  }

  /** As POP does: a value or a mark. */
  drop(): void {
    if (this.#stack.length === 0)
      throw this.error({ expected: 'a value on the stack of the pickle', problem: 'it is empty', remedy: copyAgain });
    this.#stack.pop();
  }

  popToMark(): unknown[] {
    const at = this.#stack.lastIndexOf(mark);
    if (at < 0)
      throw this.error({ expected: 'a mark on the stack of the pickle', problem: 'there is none', remedy: copyAgain });
    const items = this.#stack.splice(at);
    items.shift();
    return items;
  }

  get(key: number): void {
    if (!this.#memo.has(key))
      throw this.error({
        expected: `memo ${key} in the pickle`,
        problem: 'it was never set',
        remedy: 'copy the file again',
      });
    this.#stack.push(this.#memo.get(key));
  }

  put(key: number = this.#memo.size): void {
    this.#memo.set(key, this.top());
  }

  /** Python 2's `str`, which is text or bytes. */
  string(length: number): string | PickledBytes {
    return this.#options.strings === 'bytes' ? this.cursor.skip(length) : this.cursor.text(length);
  }

  global(module: unknown, name: unknown): void {
    const found = this.#options.globals.get(`${module} ${name}`);
    if (found === undefined) {
      const wanted = `${printable(module)}.${printable(name)}`;
      throw this.error({
        expected: 'tensors and plain data',
        problem: `the pickle uses Python's ${wanted}, which could run code`,
        remedy: 'save only the state_dict',
      });
    }
    this.#stack.push(found);
  }

  call(callable: unknown, args: unknown): void {
    const global = (callable ?? {}) as Partial<PickleGlobal>;
    const { call } = global;
    if (typeof call !== 'function' || !Array.isArray(args)) {
      throw this.error({
        expected: 'an allowed call',
        problem: `the pickle calls ${printable(global.name ?? 'a value')}`,
        remedy: 'save only the state_dict',
      });
    }
    const object = this.#guarded(() => call(args));
    if (global.build !== undefined) this.#makers.set(object, global as PickleGlobal);
    this.pushContainer(object);
  }

  build(state: unknown): void {
    const object = this.top();
    this.#guarded(() => this.#makers.get(object)?.build?.(object, state));
  }

  persistent(id: unknown): void {
    const { persistent } = this.#options;
    if (persistent === undefined)
      throw this.error({
        expected: 'all data in the pickle',
        problem: 'it refers to other storage',
        remedy: 'save it with torch.save',
      });
    this.#stack.push(this.#guarded(() => persistent(id)));
  }

  error(fault: Fault): Error {
    return this.#source.error(fault, this.#opcodeAt);
  }

  #guarded<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      if (error instanceof Unpicklable)
        throw this.error({
          expected: `${error.expected} in the pickle`,
          problem: error.problem,
          remedy: writeAgain,
        });
      throw error;
    }
  }
}

/** Makes a name from the file short and printable, for messages. */
const printable = (text: unknown): string =>
  typeof text === 'string' ? text.slice(0, 80).replace(/[^\x20-\x7e]/g, '?') : 'something without a name';
