/**
 * Reads MATLAB's MAT-files of level 5, as far as lists of names and numbers need: numeric, char and cell arrays,
 * compressed or not. Other classes are skipped. Nothing in the file is trusted: each length is checked before it is used.
 *
 * @see MathWorks, "MAT-File Format"
 */
import { inflateSync } from 'node:zlib';
import type { FormatError } from '../errors.ts';
import type { Fault } from '../fault.ts';
import type { ByteSource } from './byte-source.ts';

/** An array, column after column. */
export type MatArray =
  | { readonly kind: 'numbers'; readonly values: Float64Array }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'cell'; readonly items: readonly MatArray[] };

const headerBytes = 128;
/** Far above lists of names; inflating stops there. */
const mostBytes = 1 << 28;
/** Cells within cells. */
const mostDepth = 8;

const matrixType = 14;
const compressedType = 15;
const cellClass = 1;
const charClass = 4;
const numericClasses: ReadonlySet<number> = new Set([6, 7, 8, 9, 10, 11, 12, 13]);

/** How values of a type are read, and their size. */
const readers: Readonly<Record<number, readonly [bytes: number, read: (from: Buffer, at: number) => number]>> = {
  1: [1, (from, at) => from.readInt8(at)],
  2: [1, (from, at) => from.readUInt8(at)],
  3: [2, (from, at) => from.readInt16LE(at)],
  4: [2, (from, at) => from.readUInt16LE(at)],
  5: [4, (from, at) => from.readInt32LE(at)],
  6: [4, (from, at) => from.readUInt32LE(at)],
  7: [4, (from, at) => from.readFloatLE(at)],
  9: [8, (from, at) => from.readDoubleLE(at)],
  12: [8, (from, at) => Number(from.readBigInt64LE(at))],
  13: [8, (from, at) => Number(from.readBigUInt64LE(at))],
};
const utf8Type = 16;

/** Bytes, and where they are in the file. */
interface Part {
  readonly bytes: Buffer;
  readonly fail: (fault: Omit<Fault, 'remedy'>, at: number) => FormatError;
}

interface Element extends Part {
  readonly type: number;
  /** Where the next element begins. */
  readonly end: number;
}

/**
 * @returns the arrays of the file by name
 * @throws {FormatError} if it is no MAT-file of level 5, or damaged
 */
export async function readMatFile(source: ByteSource): Promise<ReadonlyMap<string, MatArray>> {
  const bytes = await source.read(0, source.size);
  const head = bytes.toString('latin1', 0, Math.min(19, bytes.length));
  if (head.startsWith('MATLAB 7.3'))
    throw source.error(
      {
        expected: 'a MAT-file of level 5',
        problem: 'it is of version 7.3',
        remedy: "save it with MATLAB's option -v7",
      },
      0,
    );
  if (bytes.length < headerBytes || !head.startsWith('MATLAB 5.0') || bytes.toString('latin1', 126, 128) !== 'IM')
    throw source.error(
      { expected: 'a MAT-file of level 5', problem: 'its first bytes differ', remedy: "use the set's original file" },
      0,
    );
  const fail: Part['fail'] = (fault, at) => source.error({ ...fault, remedy: "use the set's original file" }, at);
  const arrays = new Map<string, MatArray>();
  for (let at = headerBytes; at < bytes.length; ) {
    const element = elementAt({ bytes, fail }, at);
    const begin = at;
    at = element.end;
    const inner = element.type === compressedType ? inflated(element, begin) : element;
    if (inner.type !== matrixType) continue;
    const named = matrixOf(inner, 0);
    if (named !== undefined) arrays.set(named.name, named.array);
  }
  return arrays;
}

/** Short elements keep their size beside the type, and their bytes in the tag. */
function elementAt({ bytes, fail }: Part, at: number): Element {
  if (at + 8 > bytes.length) throw fail({ expected: 'the tag of an array', problem: 'the file ends' }, at);
  const word = bytes.readUInt32LE(at);
  const isShort = word > 0xffff;
  const [type, size] = isShort ? [word & 0xffff, word >>> 16] : [word, bytes.readUInt32LE(at + 4)];
  const begin = isShort ? at + 4 : at + 8;
  if ((isShort && size > 4) || begin + size > bytes.length)
    throw fail({ expected: `${size} bytes of an array`, problem: 'fewer are left' }, at);
  const padded = type === compressedType ? size : Math.ceil(size / 8) * 8;
  return {
    type,
    bytes: bytes.subarray(begin, begin + size),
    end: isShort ? at + 8 : Math.min(bytes.length, begin + padded),
    fail: (fault, within) => fail(fault, begin + within),
  };
}

/** Offsets within compressed bytes mean nothing to a reader, so errors give that of the whole. */
function inflated({ bytes, fail }: Element, begin: number): Element {
  const whole: Part['fail'] = (fault) => fail(fault, 0);
  try {
    return elementAt({ bytes: inflateSync(bytes, { maxOutputLength: mostBytes }), fail: whole }, 0);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && /^(Z_|ERR_)/.test(String(error.code)))) throw error;
    throw fail(
      { expected: 'a compressed array', problem: `it cannot be inflated (${error.message}, element at ${begin})` },
      0,
    );
  }
}

function matrixOf(element: Element, depth: number): { name: string; array: MatArray } | undefined {
  const { bytes, fail } = element;
  if (depth > mostDepth)
    throw fail({ expected: `at most ${mostDepth} cells within each other`, problem: 'there are more' }, 0);
  if (bytes.length === 0) return { name: '', array: { kind: 'numbers', values: new Float64Array() } };
  const flags = elementAt(element, 0);
  if (flags.bytes.length < 8) throw fail({ expected: 'the flags of an array', problem: 'they are too short' }, 0);
  const kind = flags.bytes.readUInt32LE(0) & 0xff;
  const sizes = elementAt(element, flags.end);
  const name = elementAt(element, sizes.end);
  const count = numbersOf(sizes).reduce((product, size) => product * size, 1);
  const named = (array: MatArray) => ({ name: name.bytes.toString('latin1'), array });
  if (kind === cellClass) return named({ kind: 'cell', items: cellsOf(element, { at: name.end, count, depth }) });
  if (kind !== charClass && !numericClasses.has(kind)) return undefined;
  if (count === 0)
    return named(kind === charClass ? { kind: 'text', text: '' } : { kind: 'numbers', values: new Float64Array() });
  const data = elementAt(element, name.end);
  if (kind === charClass && data.type === utf8Type) return named({ kind: 'text', text: data.bytes.toString('utf8') });
  const values = numbersOf(data);
  if (values.length !== count)
    throw fail({ expected: `${count} values in an array`, received: `${values.length}` }, name.end);
  return named(
    kind === charClass
      ? { kind: 'text', text: Array.from(values, (code) => String.fromCharCode(code)).join('') }
      : { kind: 'numbers', values },
  );
}

function cellsOf(
  element: Element,
  { at, count, depth }: { readonly at: number; readonly count: number; readonly depth: number },
): MatArray[] {
  const items: MatArray[] = [];
  // A cell takes eight bytes at least, so a wrong count ends with the bytes.
  for (let i = 0, from = at; i < count; i++) {
    const item = elementAt(element, from);
    const array = item.type === matrixType ? matrixOf(item, depth + 1)?.array : undefined;
    if (array === undefined)
      throw element.fail({ expected: 'cells of names or numbers', received: 'another class' }, from);
    items.push(array);
    from = item.end;
  }
  return items;
}

function numbersOf({ type, bytes, fail }: Element): Float64Array {
  const reader = readers[type];
  if (reader === undefined) throw fail({ expected: 'numbers in an array', received: `values of type ${type}` }, 0);
  const [size, read] = reader;
  return Float64Array.from({ length: Math.floor(bytes.length / size) }, (_, i) => read(bytes, i * size));
}
