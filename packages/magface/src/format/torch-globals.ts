/** The allow-list: the only Python names that a `.pth` may use, and how each becomes plain data. */
import { Unpicklable } from './pickle-machine.ts';
import type { PickleGlobal } from './pickle-values.ts';
import { countOf, type Dtype } from './tensor.ts';
import { torchRange } from './torch-strides.ts';
import { type TorchStorage, TorchTensor } from './torch-tensor.ts';

/** A storage class or dtype, which is only a name. */
export interface TypeName extends PickleGlobal {
  readonly dtype: Dtype;
}

const storages: Readonly<Record<string, Dtype>> = {
  DoubleStorage: 'F64',
  FloatStorage: 'F32',
  HalfStorage: 'F16',
  BFloat16Storage: 'BF16',
  LongStorage: 'I64',
  IntStorage: 'I32',
  ShortStorage: 'I16',
  CharStorage: 'I8',
  ByteStorage: 'U8',
  BoolStorage: 'BOOL',
  ComplexFloatStorage: 'C64',
  ComplexDoubleStorage: 'C128',
  UntypedStorage: 'U8',
  QInt8Storage: 'I8',
  QUInt8Storage: 'U8',
  QInt32Storage: 'I32',
};

const dtypes: Readonly<Record<string, Dtype>> = {
  float64: 'F64',
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
  int64: 'I64',
  int32: 'I32',
  int16: 'I16',
  int8: 'I8',
  uint8: 'U8',
  uint16: 'U16',
  uint32: 'U32',
  uint64: 'U64',
  bool: 'BOOL',
  complex64: 'C64',
  complex128: 'C128',
  float8_e4m3fn: 'F8_E4M3',
  float8_e5m2: 'F8_E5M2',
};

const isSizes = (value: unknown): value is number[] =>
  Array.isArray(value) && value.length <= 64 && value.every((size) => Number.isSafeInteger(size) && size >= 0);

/** `_rebuild_tensor_v2(storage, offset, size, stride, …)`; the third version adds a dtype. */
function rebuildTensor(args: readonly unknown[], dtype?: Dtype): TorchTensor {
  const [storage, offset, shape, strides] = args;
  if (!isStorage(storage) || !isSizes([offset]) || !isSizes(shape) || !isSizes(strides)) {
    throw new Unpicklable('a storage, an offset, sizes and strides for a tensor');
  }
  if (shape.length !== strides.length || Number.isNaN(countOf(shape))) {
    throw new Unpicklable('as many strides as sizes', `found ${strides.length} for ${shape.length}`);
  }
  const tensor = new TorchTensor({ dtype: dtype ?? storage.dtype, offset: offset as number, shape, strides }, storage);
  if (torchRange(tensor) !== undefined) return tensor;
  throw new Unpicklable(
    `a tensor inside its storage of ${storage.count} values`,
    `(${shape.join(', ')}) reaches beyond`,
  );
}

const isStorage = (value: unknown): value is TorchStorage =>
  typeof value === 'object' && value !== null && 'key' in value && 'count' in value;

function dictOf(args: readonly unknown[]): Map<unknown, unknown> {
  const [pairs = []] = args;
  if (pairs instanceof Map) return new Map(pairs);
  if (!Array.isArray(pairs) || !pairs.every((pair) => Array.isArray(pair) && pair.length === 2)) return new Map();
  return new Map(pairs as [unknown, unknown][]);
}

/** Stores the `__dict__` of a plain settings object. */
function takeState(object: unknown, state: unknown): void {
  if (!(object instanceof Map) || !(state instanceof Map)) return;
  for (const [key, value] of state) object.set(key, value);
}

/** Restores bytes that Python pickled as text. */
function encode([text, encoding]: readonly unknown[]): Buffer {
  if (typeof text !== 'string' || (encoding !== 'latin1' && encoding !== 'latin-1')) {
    throw new Unpicklable('a text in latin1');
  }
  return Buffer.from(text, 'latin1');
}

const listOf = ([items = []]: readonly unknown[]): unknown[] => {
  if (Array.isArray(items)) return [...items];
  throw new Unpicklable('a list of items');
};

const callables: Readonly<Record<string, Omit<PickleGlobal, 'name'>>> = {
  'collections OrderedDict': { call: dictOf }, // its state is `_metadata`: versions of modules
  'collections defaultdict': { call: () => new Map() },
  'collections Counter': { call: dictOf },
  'argparse Namespace': { call: () => new Map(), build: takeState },
  'torch Size': { call: listOf },
  'torch device': { call: ([kind, index]) => (index === undefined ? `${kind}` : `${kind}:${index}`) },
  'torch._utils _rebuild_tensor': { call: (args) => rebuildTensor(args) },
  'torch._utils _rebuild_tensor_v2': { call: (args) => rebuildTensor(args) },
  'torch._utils _rebuild_tensor_v3': {
    call: (args) => rebuildTensor(args, (args[6] as Partial<TypeName> | null)?.dtype),
  },
  'torch._utils _rebuild_parameter': { call: ([data]) => data ?? null },
  'torch._utils _rebuild_parameter_with_state': { call: ([data]) => data ?? null },
  'torch.nn.parameter Parameter': { call: ([data]) => data ?? null },
  'torch.serialization _get_layout': { call: ([name]) => `${name}` },
  '_codecs encode': { call: encode },
  '__builtin__ set': { call: (args) => new Set(listOf(args)) },
  'builtins set': { call: (args) => new Set(listOf(args)) },
  '__builtin__ list': { call: listOf },
  'builtins list': { call: listOf },
  'builtins dict': { call: dictOf },
};

const typeNames = (module: string, types: Readonly<Record<string, Dtype>>): (readonly [string, TypeName])[] =>
  Object.entries(types).map(([name, dtype]) => [`${module} ${name}`, { name: `${module}.${name}`, dtype }] as const);

/** By `module name`. */
export const torchGlobals: ReadonlyMap<string, PickleGlobal> = new Map<string, PickleGlobal>([
  ...Object.entries(callables).map(([key, rest]) => [key, { name: key.replace(' ', '.'), ...rest }] as const),
  ...['torch', 'torch.cuda', 'torch.storage'].flatMap((module) => typeNames(module, storages)),
  ...typeNames('torch', dtypes),
]);

/** `('storage', class, key, location, count)`. */
export function storageOf(id: unknown): TorchStorage {
  const [kind, type, key, , count] = Array.isArray(id) ? (id as readonly unknown[]) : [];
  const dtype = (type as Partial<TypeName> | null | undefined)?.dtype;
  const isCount = Number.isSafeInteger(count) && (count as number) >= 0;
  if (kind !== 'storage' || dtype === undefined || typeof key !== 'string' || !isCount) {
    throw new Unpicklable('a storage of a known type, with its key and its count');
  }
  return { key, dtype, count: count as number };
}
