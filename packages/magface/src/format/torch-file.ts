/**
 * `.pth` and `.ckpt` as `torch.save` writes them: since 1.6 a zip archive with a pickle and a file for each storage, before
 * that a sequence of pickles followed by the storages. Tensors are read on demand, one at a time.
 *
 * @see https://github.com/pytorch/pytorch/blob/main/torch/serialization.py
 */
import { type ByteSource, bytesSource, openBytes } from './byte-source.ts';
import { readPickle } from './pickle.ts';
import { Unpicklable } from './pickle-machine.ts';
import { dtypeBits, type TensorFile } from './tensor.ts';
import { storageOf, torchGlobals } from './torch-globals.ts';
import { readLegacyTorch } from './torch-legacy.ts';
import { stridedBytes, torchRange } from './torch-strides.ts';
import { type TorchContent, TorchTensor } from './torch-tensor.ts';
import { readZipDirectory, readZipEntry, type ZipEntry } from './zip.ts';

/** An open torch file. Close it after use. */
export interface TorchFile extends TensorFile {
  /** The saved value: Maps, arrays, numbers, strings; tensors are {@link TorchTensor}. */
  readonly value: unknown;
  /** By their path in `value`, joined by dots: `state_dict.module.features.conv1.weight`, `optimizer.state.0.momentum_buffer`. */
  readonly tensors: ReadonlyMap<string, TorchTensor>;
}

/**
 * Opens a `.pth`, `.pt` or `.ckpt` without running any of its code; tensors are read one at a time.
 *
 * @throws {FormatError} if the file is damaged, or uses anything but tensors and plain data
 */
export async function openTorch(file: string | ByteSource): Promise<TorchFile> {
  const source = typeof file === 'string' ? await openBytes(file) : file;
  try {
    const isZip = source.size > 4 && (await source.read(0, 4)).readUInt32LE(0) === 0x04034b50;
    const { value, readStorage } = isZip ? await readZipTorch(source) : await readLegacyTorch(source);
    const tensors = flattenTensors(source, value);
    return {
      value,
      tensors,
      async read(name) {
        const tensor = tensors.get(name);
        const range = tensor && torchRange(tensor);
        if (tensor === undefined || range === undefined)
          throw source.error({
            expected: `a tensor named ${name}`,
            problem: 'the file has none',
            remedy: "list the file's names",
          });
        const bytes = stridedBytes(tensor, await readStorage(tensor.storage, range));
        return { dtype: tensor.dtype, shape: tensor.shape, bytes };
      },
      close: () => source.close(),
    };
  } catch (error) {
    await source.close();
    throw error;
  }
}

const mostPickleBytes = 1 << 27;

async function readZipTorch(source: ByteSource): Promise<TorchContent> {
  const entries = await readZipDirectory(source);
  const pickle = [...entries.values()].find(({ name }) => /(^|\/)data\.pkl$/.test(name));
  if (pickle === undefined || pickle.size > mostPickleBytes) {
    throw source.error(
      {
        expected: 'data.pkl in the archive',
        problem: 'it is missing',
        remedy: 'write the file with torch.save, not torch.jit.save',
      },
      0,
    );
  }
  const folder = pickle.name.slice(0, -'data.pkl'.length);
  const byteOrder = entries.get(`${folder}byteorder`);
  if (byteOrder && (await readZipEntry(source, byteOrder)).toString() !== 'little') {
    throw source.error(
      {
        expected: 'little-endian data',
        problem: 'the file was written on a big-endian machine',
        remedy: 'convert it there',
      },
      0,
    );
  }
  const entryOf = (key: string): ZipEntry | undefined => entries.get(`${folder}data/${key}`);
  const content = bytesSource(await readZipEntry(source, pickle), `${source.file}/${pickle.name}`);
  const { value } = readPickle(content, {
    globals: torchGlobals,
    persistent: (id) => {
      const storage = storageOf(id);
      const entry = entryOf(storage.key);
      if (entry === undefined || entry.size < (storage.count * dtypeBits[storage.dtype]) / 8) {
        throw new Unpicklable(`${storage.count} values of ${storage.dtype} in storage ${storage.key.slice(0, 20)}`);
      }
      return storage;
    },
  });
  return { value, readStorage: ({ key }, range) => readZipEntry(source, entryOf(key) as ZipEntry, range) };
}

const [mostDepth, mostValues] = [64, 1_000_000];

/** Finds all tensors in nested dicts and lists, by path. @throws {FormatError} if the data contain themselves, or are nested or shared more than any real checkpoint */
function flattenTensors(source: ByteSource, value: unknown): Map<string, TorchTensor> {
  const tensors = new Map<string, TorchTensor>();
  let seen = 0;
  const visit = (one: unknown, path: readonly string[]): void => {
    if (path.length > mostDepth)
      throw source.error(
        {
          expected: `data nested at most ${mostDepth} levels deep`,
          problem: 'it is deeper',
          remedy: 'save only the state_dict',
        },
        0,
      );
    if (++seen > mostValues)
      throw source.error(
        {
          expected: `at most ${mostValues} values in a checkpoint`,
          problem: 'there are more',
          remedy: 'save only the state_dict',
        },
        0,
      );
    if (one instanceof TorchTensor) tensors.set(path.join('.'), one);
    else if (one instanceof Map) for (const [key, item] of one) visit(item, [...path, keyText(key)]);
    else if (Array.isArray(one)) for (const [i, item] of one.entries()) visit(item, [...path, String(i)]);
  };
  visit(value, []);
  return tensors;
}

const keyText = (key: unknown): string =>
  typeof key === 'string' || typeof key === 'number' || typeof key === 'bigint' ? String(key).slice(0, 1000) : '?';
