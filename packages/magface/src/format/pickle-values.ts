/** What a pickle holds, and what may be made of it. */

/** Bytes that a pickle holds, left where they are. */
export interface PickledBytes {
  readonly offset: number;
  readonly length: number;
}

/** A callable of the allow-list. */
export interface PickleGlobal {
  /** What Python calls it. */
  readonly name: string;
  /** @throws {Unpicklable} when the arguments make no sense. @default it is a name alone, and calling it is refused */
  readonly call?: (args: readonly unknown[]) => unknown;
  /** Takes an object's state over, as `__setstate__` does. @default the state is dropped */
  readonly build?: (object: unknown, state: unknown) => void;
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
