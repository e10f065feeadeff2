/** Values of a pickle, and options for reading them. */

/** Bytes of a pickle, left in the file. */
export interface PickledBytes {
  readonly offset: number;
  readonly length: number;
}

/** A callable of the allow-list. */
export interface PickleGlobal {
  /** Its Python name. */
  readonly name: string;
  /** @throws {Unpicklable} if the arguments are invalid. @default calling it is refused */
  readonly call?: (args: readonly unknown[]) => unknown;
  /** Sets an object's state, as `__setstate__` does. @default the state is dropped */
  readonly build?: (object: unknown, state: unknown) => void;
}

export interface PickleOptions {
  /** By `module name`, such as `collections OrderedDict`. */
  readonly globals: ReadonlyMap<string, PickleGlobal>;
  /** Resolves a persistent id. @default refused */
  readonly persistent?: ((id: unknown) => unknown) | undefined;
  /** What Python 2's `str` is. @default 'text' */
  readonly strings?: 'text' | 'bytes' | undefined;
  /** Offset of the pickle. @default 0 */
  readonly start?: number | undefined;
}
