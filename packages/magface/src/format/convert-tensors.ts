/** Converts weights from `.pth`, `.ckpt` or `.safetensors` to `.pth` or `.safetensors`, one tensor at a time. */
import { extname } from 'node:path';
import { ConfigError } from '../errors.ts';
import { officialCheckpoint } from './official-names.ts';
import { sgdState } from './official-optimizer.ts';
import { type LazyTensor, openSafetensors, writeSafetensors } from './safetensors.ts';
import type { TensorFile } from './tensor.ts';
import { openTorch } from './torch-file.ts';
import { TorchTensor } from './torch-tensor.ts';
import { type TorchValue, writeTorch } from './torch-writer.ts';

type Named = Map<string, LazyTensor>;

/** Weights with their metadata. */
interface Weights {
  readonly tensors: Named;
  /** Metadata such as `arch` and `epoch`. */
  readonly facts: Readonly<Record<string, string>>;
  readonly close: () => Promise<void>;
}

/** Options for converting weights. */
export interface ConvertTensorsOptions {
  /** Whether to write the optimizer's state to a `.pth`, if the input has one. @default true */
  readonly optimizer?: boolean | undefined;
}

/**
 * Converts weights; the extensions select the formats. A checkpoint of `magface train` becomes a `.pth` as the official
 * trainer saves it, including SGD's state. A `.pth` keeps everything in another `.pth`. In `.safetensors` it keeps its
 * tensors, without the prefix `state_dict.`.
 *
 * @returns the number of tensors written
 * @throws {ConfigError} if an extension is unsupported
 */
export async function convertTensors(
  input: string,
  output: string,
  options: ConvertTensorsOptions = {},
): Promise<number> {
  const [from, to] = [extname(input), extname(output)];
  if (to !== '.pth' && to !== '.safetensors') {
    throw new ConfigError('output', {
      expected: 'an output .pth or .safetensors for weights',
      received: output,
      remedy: 'rename it',
    });
  }
  if (from !== '.safetensors' && to === '.pth') return rewriteTorch(input, output, options);
  const { tensors, facts, close } = await openWeights(input);
  try {
    if (to === '.pth') return await writeOfficial(output, { tensors, facts }, options);
    await writeSafetensors(output, tensors, facts);
    return tensors.size;
  } finally {
    await close();
  }
}

/** Rewrites the whole file, with a separate storage for each tensor. */
async function rewriteTorch(
  input: string,
  output: string,
  { optimizer = true }: ConvertTensorsOptions,
): Promise<number> {
  const file = await openTorch(input);
  try {
    const names = new Map([...file.tensors].map(([name, tensor]) => [tensor, name]));
    let count = 0;
    const rewritten = (value: unknown): TorchValue => {
      if (value instanceof TorchTensor) {
        count++;
        const { dtype, shape } = value;
        return { dtype, shape, read: () => file.read(names.get(value) ?? '') };
      }
      if (value instanceof Map) return new Map([...value].map(([key, one]) => [String(key), rewritten(one)]));
      if (Array.isArray(value)) return value.map(rewritten);
      if (value === null || ['string', 'number', 'bigint', 'boolean'].includes(typeof value))
        return value as TorchValue;
      throw new ConfigError('input', {
        expected: `only tensors and plain data in ${input}`,
        problem: 'it has other objects',
        remedy: 'write it as .safetensors from its own program',
      });
    };
    const { value } = file;
    const kept =
      value instanceof Map && !optimizer ? new Map([...value].filter(([key]) => key !== 'optimizer')) : value;
    await writeTorch(output, rewritten(kept));
    return count;
  } finally {
    await file.close();
  }
}

async function openWeights(input: string): Promise<Weights> {
  if (extname(input) === '.safetensors') {
    const file = await openSafetensors(input);
    return { tensors: lazily(file), facts: file.metadata, close: () => file.close() };
  }
  const file = await openTorch(input);
  const tensors = new Map([...lazily(file)].map(([name, one]) => [name.replace(/^state_dict\./, ''), one]));
  const saved = file.value instanceof Map ? (file.value as ReadonlyMap<unknown, unknown>) : new Map();
  const facts = ['arch', 'epoch'].filter((key) => saved.has(key)).map((key) => [key, String(saved.get(key))]);
  return { tensors, facts: Object.fromEntries(facts) as Record<string, string>, close: () => file.close() };
}

const lazily = (file: TensorFile): Named =>
  new Map([...file.tensors].map(([name, { dtype, shape }]) => [name, { dtype, shape, read: () => file.read(name) }]));

/** The metadata of a `magface train` checkpoint that PyTorch supports. */
interface TrainingState {
  readonly arch?: string;
  readonly position?: { readonly epoch: number };
  readonly config?: {
    readonly optimizer?: string;
    readonly lr: number;
    readonly momentum: number;
    readonly weightDecay: number;
  };
  readonly metrics?: { readonly lr: number } | null;
}

async function writeOfficial(
  output: string,
  { tensors, facts }: Pick<Weights, 'tensors' | 'facts'>,
  { optimizer = true }: ConvertTensorsOptions,
): Promise<number> {
  const { arch, position, config, metrics } = JSON.parse(facts['magface.checkpoint'] ?? '{}') as TrainingState;
  if (arch === undefined) {
    await writeTorch(output, tensors);
    return tensors.size;
  }
  const centers = tensors.get('fc.weight');
  const checkpoint = officialCheckpoint({
    epoch: position?.epoch ?? 0,
    arch,
    backbone: under('features.', tensors),
    centers,
  });
  const velocities = [...under('optimizer.', tensors).values()]; // in parameter order, the centers last
  // The official trainer has only SGD.
  const isSgd = config !== undefined && (config.optimizer ?? 'sgd') === 'sgd';
  if (!optimizer || !isSgd || velocities.length === 0) {
    await writeTorch(output, { ...checkpoint });
    return checkpoint.state_dict.size;
  }
  const state = sgdState(velocities, { ...config, lr: metrics?.lr ?? config.lr });
  await writeTorch(output, { ...checkpoint, optimizer: state });
  return checkpoint.state_dict.size + velocities.length;
}

/** The tensors with a prefix, which is removed from their names. */
const under = (prefix: string, tensors: Named): Named =>
  new Map(
    [...tensors].filter(([name]) => name.startsWith(prefix)).map(([name, one]) => [name.slice(prefix.length), one]),
  );
