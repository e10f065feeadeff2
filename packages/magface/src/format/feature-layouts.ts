/** The layout of each feature format on disk; feature-writer.ts describes the formats. */
import { magnitudeOf } from '../quality.ts';
import type { FileWriter } from './file-writer.ts';
import { namesFileOf, npyHeader } from './npy.ts';
import { safetensorsHeader } from './safetensors-header.ts';

/**
 * One format. `begin` and `row` append before they first await, so calls without await keep their order;
 * their promise is only back-pressure.
 */
export interface FeatureLayout {
  /** Those being written, in the order they were opened. */
  readonly files: readonly FileWriter[];
  begin(dimension: number): Promise<void>;
  /** @param name - a name that the format supports */
  row(name: string, embedding: Float32Array): Promise<void>;
  /** @param path - the final path, in the same folder as the temporary file */
  end(rows: number, dimension: number, path: string): Promise<void>;
  discard(): Promise<void>;
}

/** Opens one file of a feature file. */
export type OpenFile = (path: string) => Promise<FileWriter>;

export type FeatureLayoutFactory = (
  path: string,
  metadata: Readonly<Record<string, string>>,
  open: OpenFile,
) => Promise<FeatureLayout>;

const nothing = async (): Promise<void> => undefined;

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

async function openBoth(path: string, beside: string, open: OpenFile): Promise<readonly [FileWriter, FileWriter]> {
  const file = await open(path);
  try {
    return [file, await open(beside)];
  } catch (error) {
    await file.discard();
    throw error;
  }
}

export const textLayout: FeatureLayoutFactory = async (path, _metadata, open) => {
  const file = await open(path);
  return {
    files: [file],
    begin: nothing,
    row(name, embedding) {
      let line = `${name} `;
      for (const value of embedding) line += `${pythonFloat(value)} `;
      return file.append(Buffer.from(`${line}\n`));
    },
    end: (_rows, _dimension, target) => file.commit(target),
    discard: () => file.discard(),
  };
};

export const jsonLayout: FeatureLayoutFactory = async (path, _metadata, open) => {
  const file = await open(path);
  return {
    files: [file],
    begin: nothing,
    row(image, embedding) {
      const row = { image, magnitude: magnitudeOf(embedding), embedding: Array.from(embedding) };
      return file.append(Buffer.from(`${JSON.stringify(row)}\n`));
    },
    end: (_rows, _dimension, target) => file.commit(target),
    discard: () => file.discard(),
  };
};

/** Values in one file, names in another: both are complete on disk before either is renamed. */
export const npyLayout: FeatureLayoutFactory = async (path, _metadata, open) => {
  const [file, names] = await openBoth(path, namesFileOf(path), open);
  return {
    files: [file, names],
    begin: async (dimension) => {
      if (file.length === 0) await file.append(npyHeader(0, dimension));
    },
    async row(name, embedding) {
      await Promise.all([names.append(Buffer.from(`${name}\n`)), file.append(bytesOf(embedding))]);
    },
    async end(rows, dimension, target) {
      await file.patch(0, npyHeader(rows, dimension));
      await Promise.all([file.finish(), names.finish()]);
      await file.commit(target);
      await names.commit(namesFileOf(target));
    },
    async discard() {
      await Promise.all([file.discard(), names.discard()]);
    },
  };
};

/** Names are spooled to a temporary file and copied after the values; space for the header is reserved. */
export const safetensorsLayout: FeatureLayoutFactory = async (path, metadata, open) => {
  const [file, names] = await openBoth(path, `${path}.names`, open);
  const header = (rows: number, dimension: number, nameBytes: number, room?: number): Buffer => {
    const values = 4 * rows * dimension;
    const entries = [
      { name: 'embeddings', dtype: 'F32' as const, shape: [rows, dimension], begin: 0, end: values },
      { name: 'names', dtype: 'U8' as const, shape: [nameBytes], begin: values, end: values + nameBytes },
    ];
    return safetensorsHeader(entries, metadata, room);
  };
  let room = 0;
  return {
    files: [file, names],
    async begin(dimension) {
      const largest = header(2 ** 40, dimension, 2 ** 50);
      room = largest.length;
      if (file.length === 0) await file.append(largest);
    },
    async row(name, embedding) {
      const line = names.length === 0 ? name : `\n${name}`;
      await Promise.all([names.append(Buffer.from(line)), file.append(bytesOf(embedding))]);
    },
    async end(rows, dimension, target) {
      for await (const block of names.contents()) await file.append(block);
      await file.patch(0, header(rows, dimension, names.length, room));
      await names.discard();
      await file.commit(target);
    },
    async discard() {
      await Promise.all([file.discard(), names.discard()]);
    },
  };
};

/**
 * The shortest decimal that reads back as the same float64, in Python's `repr`: `2.0`, `1e-05`, `1.3515087366104126`.
 * JavaScript finds the same digits, but formats integers, tiny and huge numbers differently.
 */
function pythonFloat(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e-4 && size < 1e16) return Number.isInteger(value) ? `${value}.0` : String(value);
  if (size === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  if (Number.isNaN(value)) return 'nan';
  if (size === Number.POSITIVE_INFINITY) return value > 0 ? 'inf' : '-inf';
  return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
}
