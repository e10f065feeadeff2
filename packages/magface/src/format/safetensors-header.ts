/**
 * The header of a `.safetensors`: eight bytes of length, then JSON from name to `{dtype, shape, data_offsets}`. All of it
 * is checked against the file.
 *
 * @see https://github.com/huggingface/safetensors#format
 */
import type { ByteSource } from './byte-source.ts';
import { byteLengthOf, type Dtype, dtypeBits, type TensorInfo } from './tensor.ts';

/** One tensor's position; `begin` and `end` are relative to the end of the header. */
export interface SafetensorsEntry extends TensorInfo {
  readonly name: string;
  readonly begin: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  /** In file order. */
  readonly entries: readonly SafetensorsEntry[];
  readonly metadata: Readonly<Record<string, string>>;
  /** File offset of the values. */
  readonly start: number;
}

/** The limit of the reference implementation. */
const mostHeaderBytes = 100_000_000;

/**
 * @param room - size of the result in bytes, padded with spaces as the format allows
 * @returns length and JSON; values begin at a multiple of eight
 */
export function safetensorsHeader(
  entries: readonly SafetensorsEntry[],
  metadata: Readonly<Record<string, string>> = {},
  room = 0,
): Buffer {
  const header: Record<string, unknown> = { __metadata__: { format: 'pt', ...metadata } };
  for (const { name, dtype, shape, begin, end } of entries) header[name] = { dtype, shape, data_offsets: [begin, end] };
  const json = Buffer.from(JSON.stringify(header));
  const length = Math.max(room, 8 * Math.ceil((8 + json.length) / 8));
  const bytes = Buffer.alloc(length, ' ');
  bytes.writeBigUInt64LE(BigInt(length - 8), 0);
  json.copy(bytes, 8);
  return bytes;
}

/** @throws {FormatError} naming the invalid tensor: of unknown type, outside the file, overlapping or duplicate */
export async function readSafetensorsHeader(source: ByteSource): Promise<SafetensorsHeader> {
  const { text, start } = await headerText(source);
  const fields = parseHeader(source, text);
  const metadata = fields.get('__metadata__') ?? {};
  fields.delete('__metadata__');
  if (!isRecord(metadata) || Object.values(metadata).some((value) => typeof value !== 'string')) {
    throw source.error(
      { expected: '__metadata__ to map names to texts', problem: 'it does not', remedy: 'write the file again' },
      8,
    );
  }
  const entries = [...fields].map(([name, value]) => expectEntry(source, name, value));
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let at = 0;
  for (const { name, begin, end } of entries) {
    if (begin !== at) {
      const what = begin < at ? 'bytes that another tensor also uses' : `a gap of ${begin - at} bytes before it`;
      throw source.error(
        {
          expected: 'tensors without gaps or overlaps',
          problem: `${label(name)} has ${what}`,
          remedy: 'write the file again',
        },
        start + begin,
      );
    }
    at = end;
  }
  if (start + at !== source.size) {
    throw source.error(
      {
        expected: `${start + at} bytes (as the header says)`,
        problem: `the file has ${source.size}`,
        remedy: 'it may be truncated, so copy it again',
      },
      start + at,
    );
  }
  return { entries, metadata: metadata as Record<string, string>, start };
}

async function headerText(source: ByteSource): Promise<{ text: string; start: number }> {
  const length = source.size < 8 ? 0n : (await source.read(0, 8)).readBigUInt64LE(0);
  if (length < 2n || length > BigInt(Math.min(mostHeaderBytes, source.size - 8))) {
    throw source.error(
      {
        expected: `a header of at most ${mostHeaderBytes} bytes within the file`,
        problem: `it claims ${length}`,
        remedy: 'check that this is a .safetensors file',
      },
      0,
    );
  }
  const start = 8 + Number(length);
  return { text: (await source.read(8, Number(length))).toString('utf8'), start };
}

function parseHeader(source: ByteSource, text: string): Map<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw source.error(
      { expected: 'a header in JSON', problem: 'it cannot be parsed', remedy: 'copy the file again' },
      8,
      cause,
    );
  }
  if (!isRecord(value))
    throw source.error(
      { expected: 'a header that maps names to tensors', problem: 'found other JSON', remedy: 'write the file again' },
      8,
    );
  const fields = new Map(Object.entries(value));
  if (fields.size !== topLevelKeys(text))
    throw source.error(
      { expected: 'each name once', problem: 'the header repeats one', remedy: 'write the file again' },
      8,
    );
  return fields;
}

/** JSON.parse silently keeps the last of equal keys, so this counts the colons of the outermost object. */
function topLevelKeys(json: string): number {
  let [depth, keys] = [0, 0];
  for (let at = 0; at < json.length; at++) {
    const code = json.charCodeAt(at);
    if (code === 0x22) {
      while (json.charCodeAt(++at) !== 0x22) if (json.charCodeAt(at) === 0x5c) at++;
    } else if (code === 0x7b || code === 0x5b) depth++;
    else if (code === 0x7d || code === 0x5d) depth--;
    else if (code === 0x3a && depth === 1) keys++;
  }
  return keys;
}

function expectEntry(source: ByteSource, name: string, value: unknown): SafetensorsEntry {
  const { dtype, shape, data_offsets: offsets } = isRecord(value) ? value : {};
  if (
    typeof dtype !== 'string' ||
    !Object.hasOwn(dtypeBits, dtype) ||
    !isSizes(shape) ||
    !isSizes(offsets) ||
    offsets.length !== 2
  ) {
    throw source.error(
      {
        expected: `a known dtype, a shape and two data_offsets for ${label(name)}`,
        problem: 'found something else',
        remedy: 'write the file again',
      },
      8,
    );
  }
  const [begin = 0, end = 0] = offsets;
  const entry = { name, dtype: dtype as Dtype, shape, begin, end };
  if (end - begin !== byteLengthOf(entry)) {
    const takes = `(${shape.slice(0, 8).join(', ')}) of ${dtype}`;
    throw source.error(
      {
        expected: `the size of ${takes} for ${label(name)}`,
        problem: `its offsets span ${end - begin} bytes`,
        remedy: 'write the file again',
      },
      8,
    );
  }
  return entry;
}

const label = (name: string): string => JSON.stringify(name.length > 80 ? `${name.slice(0, 77)}...` : name);

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isSizes = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
