/** Reads and writes `.safetensors`, one tensor at a time. */
import { ConfigError } from '../errors.ts';
import { type ByteSource, openBytes } from './byte-source.ts';
import { FileWriter } from './file-writer.ts';
import { readSafetensorsHeader, type SafetensorsEntry, safetensorsHeader } from './safetensors-header.ts';
import { byteLengthOf, type Tensor, type TensorFile, type TensorInfo } from './tensor.ts';

/** An open `.safetensors`. Close it after use. */
export interface SafetensorsFile extends TensorFile {
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Opens a `.safetensors`; tensors are read one at a time.
 *
 * @throws {FormatError} if the header is damaged or contradicts the file
 */
export async function openSafetensors(file: string | ByteSource): Promise<SafetensorsFile> {
  const source = typeof file === 'string' ? await openBytes(file) : file;
  try {
    const { entries, metadata, start } = await readSafetensorsHeader(source);
    const tensors = new Map(entries.map((entry) => [entry.name, entry]));
    return {
      tensors,
      metadata,
      async read(name) {
        const entry = tensors.get(name);
        if (entry === undefined)
          throw source.error({
            expected: `a tensor named ${name}`,
            problem: 'the file has none',
            remedy: "list the file's names",
          });
        const { dtype, shape, begin, end } = entry;
        return { dtype, shape, bytes: await source.read(start + begin, end - begin) };
      },
      close: () => source.close(),
    };
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** A tensor with values computed on demand, so writing a file needs memory for only one tensor. */
export interface LazyTensor extends TensorInfo {
  readonly read: () => Promise<Tensor> | Tensor;
}

/**
 * Writes a file atomically.
 *
 * @param metadata - texts by name, for `__metadata__`
 * @throws {ConfigError} if a tensor's values do not match its shape and type
 */
export async function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, Tensor | LazyTensor>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const entries: SafetensorsEntry[] = [];
  let at = 0;
  for (const [name, { dtype, shape }] of tensors) {
    const end = at + byteLengthOf({ dtype, shape });
    entries.push({ name, dtype, shape, begin: at, end });
    at = end;
  }
  const writer = await FileWriter.create(path);
  try {
    await writer.append(safetensorsHeader(entries, metadata));
    for (const { name, begin, end } of entries) {
      const { bytes } = await valuesOf(tensors.get(name)!);
      if (bytes.length !== end - begin) {
        throw new ConfigError(name, {
          expected: `${end - begin} bytes for ${name}`,
          received: bytes.length,
          remedy: 'pass values of this shape and type',
        });
      }
      await writer.append(bytes);
    }
  } catch (error) {
    await writer.discard();
    throw error;
  }
  await writer.commit();
}

/** The values of a tensor, computed now if it is lazy. */
export const valuesOf = async (tensor: Tensor | LazyTensor): Promise<Tensor> =>
  'read' in tensor ? await tensor.read() : tensor;
