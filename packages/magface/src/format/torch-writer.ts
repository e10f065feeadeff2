/**
 * Writing `.pth` that PyTorch 1.6 to 2.x loads, with `weights_only=True` too: only tensors and plain data are used. (In
 * 1.13 that mode rejects floats outside tensors.)
 */
import { ConfigError } from '../errors.ts';
import { FileWriter } from './file-writer.ts';
import { type LazyTensor, valuesOf } from './safetensors.ts';
import { countOf, type Dtype, type Tensor } from './tensor.ts';
import { ZipWriter } from './zip-writer.ts';

/** Values that can be saved. Maps become OrderedDicts, as in state_dicts; objects become dicts. */
export type TorchValue =
  | Tensor
  | LazyTensor
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly TorchValue[]
  | ReadonlyMap<string, TorchValue>
  | { readonly [key: string]: TorchValue };

/**
 * Writes a file atomically, with one tensor in memory at a time.
 *
 * @throws {ConfigError} for a tensor type without a torch storage
 */
export async function writeTorch(path: string, value: TorchValue): Promise<void> {
  const pickler = new Pickler();
  const pickle = pickler.dump(value);
  const file = await FileWriter.create(path);
  try {
    const zip = new ZipWriter(file);
    await zip.add('archive/data.pkl', pickle);
    await zip.add('archive/byteorder', Buffer.from('little'));
    for (const [key, tensor] of pickler.tensors.entries()) {
      await zip.add(`archive/data/${key}`, (await valuesOf(tensor)).bytes);
    }
    await zip.add('archive/version', Buffer.from('3\n'));
    await zip.end();
  } catch (error) {
    await file.discard();
    throw error;
  }
  await file.commit();
}

const storageClasses: Partial<Record<Dtype, string>> = {
  F64: 'DoubleStorage',
  F32: 'FloatStorage',
  F16: 'HalfStorage',
  BF16: 'BFloat16Storage',
  I64: 'LongStorage',
  I32: 'IntStorage',
  I16: 'ShortStorage',
  I8: 'CharStorage',
  U8: 'ByteStorage',
  BOOL: 'BoolStorage',
  C64: 'ComplexFloatStorage',
  C128: 'ComplexDoubleStorage',
};

/** Pickles with protocol 2; each tensor has its own storage. */
class Pickler {
  readonly tensors: (Tensor | LazyTensor)[] = [];
  readonly #parts: Buffer[] = [];

  dump(value: TorchValue): Buffer {
    this.#op('\x80\x02');
    this.#value(value);
    this.#op('.');
    return Buffer.concat(this.#parts);
  }

  #op(codes: string): void {
    this.#parts.push(Buffer.from(codes, 'latin1'));
  }

  #value(value: TorchValue): void {
    if (value === null) this.#op('N');
    else if (typeof value === 'boolean') this.#op(value ? '\x88' : '\x89');
    else if (typeof value === 'string') this.#text(value);
    else if (typeof value === 'number' || typeof value === 'bigint') this.#number(value);
    else if (Array.isArray(value)) this.#list(value as readonly TorchValue[]);
    else if (value instanceof Map) this.#dict('ccollections\nOrderedDict\n)R', value);
    else if ('dtype' in value && 'shape' in value) this.#tensor(value as Tensor | LazyTensor);
    else this.#dict('}', Object.entries(value));
  }

  #text(text: string): void {
    const bytes = Buffer.from(text);
    const head = Buffer.from('X\0\0\0\0', 'latin1');
    head.writeUInt32LE(bytes.length, 1);
    this.#parts.push(head, bytes);
  }

  #number(value: number | bigint): void {
    const whole = typeof value === 'bigint' || Number.isSafeInteger(value);
    const bytes = Buffer.alloc(whole ? 10 : 9);
    if (whole) {
      bytes.write('\x8a\x08', 'latin1'); // LONG1 of eight bytes
      bytes.writeBigInt64LE(BigInt(value), 2);
    } else {
      bytes.write('G', 'latin1');
      bytes.writeDoubleBE(value as number, 1);
    }
    this.#parts.push(bytes);
  }

  #list(items: readonly TorchValue[]): void {
    this.#op('](');
    for (const item of items) this.#value(item);
    this.#op('e');
  }

  #dict(make: string, entries: Iterable<readonly [string, TorchValue]>): void {
    this.#op(`${make}(`);
    for (const [key, item] of entries) {
      if (/^(0|[1-9]\d{0,14})$/.test(key))
        this.#number(Number(key)); // optimizers count their parameters
      else this.#text(key);
      this.#value(item);
    }
    this.#op('u');
  }

  #tuple(sizes: readonly number[]): void {
    this.#op('(');
    for (const size of sizes) this.#number(size);
    this.#op('t');
  }

  /** `torch._utils._rebuild_tensor_v2(storage, 0, shape, strides, False, OrderedDict())` */
  #tensor(tensor: Tensor | LazyTensor): void {
    const { dtype, shape } = tensor;
    const storageClass = storageClasses[dtype];
    if (storageClass === undefined)
      throw new ConfigError('dtype', {
        expected: 'a type that torch can store',
        received: dtype,
        remedy: 'convert it first',
      });
    const strides = shape.map((_, axis) => countOf(shape.slice(axis + 1)));
    this.#op('ctorch._utils\n_rebuild_tensor_v2\n((');
    this.#text('storage');
    this.#op(`ctorch\n${storageClass}\n`);
    this.#text(String(this.tensors.push(tensor) - 1));
    this.#text('cpu');
    this.#number(countOf(shape));
    this.#op('tQ');
    this.#number(0);
    this.#tuple(shape);
    this.#tuple(strides);
    this.#op('\x89ccollections\nOrderedDict\n)RtR');
  }
}
