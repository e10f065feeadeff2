/** Weights from `.pth`, `.ckpt` or `.safetensors` to `.pth` or `.safetensors`, a tensor in memory at a time. */
import { extname } from 'node:path';
import { ConfigError } from '../errors.ts';
import { officialCheckpoint } from './official-names.ts';
import { type LazyTensor, openSafetensors, writeSafetensors } from './safetensors.ts';
import type { TensorFile } from './tensor.ts';
import { openTorch } from './torch-file.ts';
import { writeTorch } from './torch-writer.ts';

type Named = Map<string, LazyTensor>;

/** Weights with the little that is told about them. */
interface Weights {
  readonly tensors: Named;
  /** Texts such as `arch` and `epoch`. */
  readonly facts: Readonly<Record<string, string>>;
  readonly close: () => Promise<void>;
}

/**
 * Converts by the endings of the names. A checkpoint of `magface train` becomes a `.pth` in the layout of the official
 * trainer; an official `.pth` keeps its tensors' names, without the `state_dict.` before them.
 *
 * @returns how many tensors were written
 * @throws {ConfigError} when an ending is none of these
 */
export async function convertTensors(input: string, output: string): Promise<number> {
  const { tensors, facts, close } = await openWeights(input);
  try {
    const kind = extname(output);
    if (kind === '.safetensors') await writeSafetensors(output, tensors, facts);
    else if (kind === '.pth') return await writeOfficial(output, tensors, facts);
    else throw new ConfigError('output', `Expected .pth or .safetensors to convert weights to but received ${output}.`);
    return tensors.size;
  } finally {
    await close();
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

async function writeOfficial(output: string, tensors: Named, facts: Readonly<Record<string, string>>): Promise<number> {
  const state = JSON.parse(facts['magface.checkpoint'] ?? '{}') as { arch?: string; epoch?: number };
  if (state.arch === undefined) {
    await writeTorch(output, tensors);
    return tensors.size;
  }
  const prefix = 'features.';
  const own = [...tensors].filter(([name]) => name.startsWith(prefix));
  const backbone = new Map(own.map(([name, tensor]) => [name.slice(prefix.length), tensor]));
  const centers = tensors.get('fc.weight');
  const checkpoint = officialCheckpoint({ epoch: state.epoch ?? 0, arch: state.arch, backbone, centers });
  await writeTorch(output, { ...checkpoint });
  return checkpoint.state_dict.size;
}
