/** Reads features from an array in `.npy` or `.safetensors`, by ranges. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { FormatError } from '../errors.ts';
import type { ByteSource } from './byte-source.ts';
import type { FeatureBlock } from './feature-block.ts';
import { namesFileOf, readNpyHeader } from './npy.ts';
import { readSafetensorsHeader } from './safetensors-header.ts';
import { byteLengthOf, type Dtype, dtypeBits, toFloat32 } from './tensor.ts';

const chunkBytes = 1 << 22;

/** Position of the rows in the file. */
export interface FeatureArray {
  readonly dtype: Dtype;
  readonly rows: number;
  readonly dimension: number;
  /** Offset of the values. */
  readonly start: number;
  readonly names: readonly string[] | undefined;
}

const floats: readonly Dtype[] = ['F32', 'F64', 'F16', 'BF16'];

export async function openNpy(source: ByteSource): Promise<FeatureArray> {
  const { dtype, shape, start } = await readNpyHeader(source);
  if (source.size - start !== byteLengthOf({ dtype, shape })) {
    throw source.error(
      {
        expected: `values of shape (${shape.join(', ')}) in ${dtype}`,
        received: `${source.size - start} bytes of data`,
        remedy: 'it may be truncated, so copy it again',
      },
      start,
    );
  }
  const namesFile = namesFileOf(source.file);
  const names = existsSync(namesFile) ? await readFile(namesFile, 'utf8') : undefined;
  return expectRows(source, { dtype, shape, start, names: names?.replace(/\r?\n$/, '').split(/\r?\n/), namesFile });
}

export async function openSafetensorsFeatures(source: ByteSource): Promise<FeatureArray> {
  const { entries, start } = await readSafetensorsHeader(source);
  const arrays = entries.filter(({ dtype, shape }) => shape.length === 2 && floats.includes(dtype));
  const [array] = arrays;
  if (array === undefined || arrays.length > 1) {
    throw source.error(
      { expected: 'one tensor (N, D) of floats', received: arrays.length, remedy: 'pass a file of features' },
      8,
    );
  }
  const names = entries.find(({ name, dtype }) => name === 'names' && dtype === 'U8');
  const text = names && (await source.read(start + names.begin, names.end - names.begin)).toString('utf8');
  return expectRows(source, { ...array, start: start + array.begin, names: text?.split('\n'), namesFile: source.file });
}

function expectRows(
  source: ByteSource,
  array: Pick<FeatureArray, 'dtype' | 'start' | 'names'> & { shape: readonly number[]; namesFile: string },
): FeatureArray {
  const { dtype, shape, start, names, namesFile } = array;
  const [rows = 0, dimension = 0] = shape;
  if (shape.length !== 2 || rows === 0 || dimension === 0) {
    throw source.error(
      {
        expected: 'features of shape (N, D)',
        problem: `the array has shape (${shape.join(', ')})`,
        remedy: 'pass a matrix with one row per face',
      },
      0,
    );
  }
  if (names !== undefined && names.length !== rows) {
    throw new FormatError(
      namesFile,
      {
        expected: `a name for each of ${rows} rows`,
        received: names.length,
        remedy: 'write the file of names again',
      },
      {
        offset: 0,
      },
    );
  }
  return { dtype, rows, dimension, start, names };
}

export async function* arrayBlocks(source: ByteSource, array: FeatureArray): AsyncGenerator<FeatureBlock> {
  const { dtype, rows, dimension, start, names } = array;
  const rowBytes = (dimension * dtypeBits[dtype]) / 8;
  const rowsAtOnce = Math.max(1, Math.floor(chunkBytes / rowBytes));
  for (let row = 0; row < rows; row += rowsAtOnce) {
    const count = Math.min(rowsAtOnce, rows - row);
    const bytes = await source.read(start + row * rowBytes, count * rowBytes);
    const values = toFloat32({ dtype, shape: [count, dimension], bytes });
    yield { values, names: names?.slice(row, row + count) };
  }
}
