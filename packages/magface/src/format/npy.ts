/**
 * NumPy's array file: a header that is a Python dict in text, padded, then the values.
 *
 * @see NEP 1, "A Simple File Format for NumPy Arrays"
 */
import type { ByteSource } from './byte-source.ts';
import type { Dtype } from './tensor.ts';

/** A parsed header. */
export interface NpyHeader {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Offset of the values. */
  readonly start: number;
}

/** Bytes of the header that {@link npyHeader} makes, whatever the shape. */
const npyHeaderBytes = 128;

/** @returns the header of an (N, D) array of float32, always of the same length, so that it can be patched */
export function npyHeader(rows: number, dimension: number): Buffer {
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${dimension}), }`;
  const header = Buffer.alloc(npyHeaderBytes, ' ');
  header.write('\x93NUMPY\x01\x00', 0, 'latin1');
  header.writeUInt16LE(npyHeaderBytes - 10, 8);
  header.write(text, 10, 'latin1');
  header[npyHeaderBytes - 1] = 10;
  return header;
}

/** The file with the names of a `.npy`: `NAME.names.txt`. */
export const namesFileOf = (path: string): string => path.replace(/\.npy$/, '.names.txt');

const dtypes: ReadonlyMap<string, Dtype> = new Map([
  ['<f4', 'F32'],
  ['<f8', 'F64'],
  ['<f2', 'F16'],
]);

/** @throws {FormatError} if it is not an array of floats in C order */
export async function readNpyHeader(source: ByteSource): Promise<NpyHeader> {
  const head = await source.read(0, Math.min(source.size, 4096));
  const version = head[6] ?? 0;
  if (head.toString('latin1', 0, 6) !== '\x93NUMPY' || head.length < 12 || version < 1 || version > 3) {
    throw source.error(
      { expected: 'a .npy file', problem: 'its first bytes differ', remedy: 'write it with numpy.save' },
      0,
    );
  }
  const [textStart, length] = version === 1 ? [10, head.readUInt16LE(8)] : [12, head.readUInt32LE(8)];
  const start = textStart + length;
  if (start > head.length)
    throw source.error(
      {
        expected: 'a header of at most 4 KiB',
        problem: `it claims ${length} bytes`,
        remedy: 'write the file again with numpy.save',
      },
      8,
    );
  const text = head.toString('latin1', textStart, start);
  const dtype = dtypes.get(/'descr':\s*'([^']*)'/.exec(text)?.[1] ?? '');
  const shape = /'shape':\s*\(([\d,\s]*)\)/.exec(text)?.[1];
  if (dtype === undefined || shape === undefined || !/'fortran_order':\s*False/.test(text)) {
    const found = text.trim().slice(0, 120);
    throw source.error(
      { expected: 'little-endian floats in C order', problem: `the header is ${found}`, remedy: 'save it as float32' },
      10,
    );
  }
  return {
    dtype,
    start,
    shape: shape
      .split(',')
      .filter((size) => size.trim() !== '')
      .map(Number),
  };
}
