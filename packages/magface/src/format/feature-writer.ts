/**
 * Writes feature files row by row, with constant memory. The extension selects the format:
 *
 *     .list         the official text: `name v1 … vD `, one line per image
 *     .npy          (N, D) float32; names, one per line, in NAME.names.txt beside it
 *     .safetensors  `embeddings` (N, D) F32 and `names` U8, the names' UTF-8 joined by line feeds
 *     .jsonl        `{"image", "magnitude", "embedding"}`, one line per image
 */
import { extname } from 'node:path';
import { ConfigError, ShapeError } from '../errors.ts';
import {
  type FeatureLayoutFactory,
  jsonLayout,
  npyLayout,
  type OpenFile,
  safetensorsLayout,
  textLayout,
} from './feature-layouts.ts';
import { FileWriter } from './file-writer.ts';

/** Options of a feature file. */
export interface FeatureWriterOptions {
  /** D. @default that of the first feature */
  readonly dimension?: number | undefined;
  /** Metadata of a `.safetensors`; the other formats have none. @default none */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

/** A feature file being written. */
export interface FeatureWriter {
  /**
   * Appends one row; await it to keep memory constant.
   *
   * @param embedding - (D) float32, copied before this returns
   * @throws {ShapeError} if D differs from earlier rows
   * @throws {ConfigError} if the format does not support the name
   */
  write(name: string, embedding: Float32Array): Promise<void>;
  /**
   * Completes the file on disk and renames it into place.
   *
   * @param path - another name in the same folder, for a partial result. @default the path it was made with
   */
  close(path?: string): Promise<void>;
  /** Removes the unfinished file, after a failed run. */
  discard(): Promise<void>;
}

interface Format {
  readonly create: FeatureLayoutFactory;
  /** What a name must not contain. @default nothing */
  readonly refused?: { readonly pattern: RegExp; readonly what: string; readonly remedy: string };
}

const lineBreaks = { pattern: /[\r\n]|^$/, what: 'line breaks', remedy: '.jsonl' };
const whiteSpace = {
  pattern: /\s|^$/,
  what: 'white space in the official text',
  remedy: '.npy, .safetensors or .jsonl',
};

const formats: Readonly<Record<string, Format>> = {
  '.list': { create: textLayout, refused: whiteSpace },
  '.npy': { create: npyLayout, refused: lineBreaks },
  '.safetensors': { create: safetensorsLayout, refused: lineBreaks },
  '.jsonl': { create: jsonLayout },
};

/** @throws {ConfigError} if the ending names no feature format */
function formatOf(path: string): Format {
  const format = formats[extname(path)];
  if (format !== undefined) return format;
  const endings = Object.keys(formats).join(', ');
  throw new ConfigError('output', {
    expected: `a feature file with extension ${endings}`,
    received: path,
    remedy: 'rename it',
  });
}

/**
 * Checks in advance whether the format supports all names.
 *
 * @throws {ConfigError} naming the first name that the format of `path` does not support
 */
export function expectFeatureNames(path: string, names: Iterable<string>): void {
  const { refused } = formatOf(path);
  if (refused === undefined) return;
  const { pattern, what, remedy } = refused;
  for (const name of names) {
    if (!pattern.test(name)) continue;
    throw new ConfigError('output', {
      expected: `names without ${what}`,
      received: JSON.stringify(name),
      remedy: `write ${remedy} instead`,
    });
  }
}

/**
 * Starts a feature file; the extension selects the format.
 *
 * @throws {ConfigError} if the ending names no feature format, or the file cannot be written
 */
export function createFeatureWriter(path: string, options: FeatureWriterOptions = {}): Promise<FeatureWriter> {
  return openFeatureWriter(path, { ...options, rows: 0, open: (file) => FileWriter.create(file) });
}

/** A feature file that an earlier process left unfinished. */
export interface UnfinishedFeatures extends FeatureWriterOptions {
  /** Number of features in it. */
  readonly rows: number;
  /** Opens each of its files at the end of its last whole feature. */
  readonly open: OpenFile;
}

/** A feature file that outlives a failure of its process. */
export interface ResumableFeatureWriter extends FeatureWriter {
  /** Passes all rows to the system. @returns the length of each file, in the order they are opened */
  flush(): Promise<readonly number[]>;
}

/** Like {@link createFeatureWriter}, with files opened by the caller. */
export async function openFeatureWriter(path: string, options: UnfinishedFeatures): Promise<ResumableFeatureWriter> {
  const layout = await formatOf(path).create(path, options.metadata ?? {}, options.open);
  let [rows, dimension] = [options.rows, options.dimension ?? 0];
  let begun: Promise<void> | undefined;
  const begin = (): Promise<void> => {
    begun ??= layout.begin(dimension);
    return begun;
  };
  return {
    async write(name, embedding) {
      if (dimension === 0) dimension = embedding.length;
      if (embedding.length !== dimension || dimension === 0) {
        throw new ShapeError({
          expected: `a feature of length ${dimension} for ${name}`,
          received: `length ${embedding.length}`,
          remedy: 'write features of one model per file',
        });
      }
      expectFeatureNames(path, [name]);
      rows++;
      await Promise.all([begin(), layout.row(name, embedding)]);
    },
    async close(target = path) {
      try {
        await begin();
        await layout.end(rows, dimension, target);
      } catch (error) {
        await layout.discard();
        throw error;
      }
    },
    discard: () => layout.discard(),
    async flush() {
      await Promise.all(layout.files.map((file) => file.flush()));
      return layout.files.map(({ length }) => length);
    },
  };
}
