/** Reads a backbone and its arch from any source: a checkpoint of ours, an official `.pth`, tensors under known names. */
import { extname } from 'node:path';
import { ConfigError, FormatError } from '../../errors.ts';
import { expectOfficialNames, type OfficialNames, officialNames } from '../../format/official-names.ts';
import { openSafetensors } from '../../format/safetensors.ts';
import { type TensorFile, toFloat32 } from '../../format/tensor.ts';
import { openTorch } from '../../format/torch-file.ts';
import { architectureNames, openArchitecture } from '../../graph/networks/architectures.ts';
import type { Architecture, Weights } from '../../graph/networks/builder.ts';
import { type CheckpointContent, isCheckpoint, readCheckpoint } from '../loop/checkpoint-file.ts';

/** A network with its weights. */
export interface Backbone {
  readonly architecture: Architecture;
  /** By PyTorch's bare names, running statistics included. */
  readonly weights: Weights;
}

/** Opens weights by the ending of the name: `.pth`, `.pt`, `.ckpt`, else `.safetensors`. */
export function openWeights(file: string): Promise<TensorFile> {
  return /\.(pth|pt|ckpt)$/i.test(file) ? openTorch(file) : openSafetensors(file);
}

/**
 * The backbone of a checkpoint of ours: the moving mean of the weights, if the run kept one.
 *
 * @param arch - the file of a network of one's own @default the name that the checkpoint holds
 */
export async function backboneOf(
  { tensors, state }: CheckpointContent,
  file: string,
  arch?: string,
): Promise<Backbone> {
  const { arch: recorded, embeddingLength } = state as { arch?: string; embeddingLength?: number };
  if (recorded === undefined || embeddingLength === undefined) {
    throw new FormatError(file, {
      expected: 'a checkpoint that names its arch',
      problem: 'this one does not',
      remedy: 'pass --arch and --embedding-size',
    });
  }
  const mean = 'mean.features.';
  const prefix = [...tensors.keys()].some((name) => name.startsWith(mean)) ? mean : 'features.';
  const weights = new Map<string, Float32Array>();
  for (const [name, tensor] of tensors) {
    if (name.startsWith(prefix) && tensor.dtype === 'F32') weights.set(name.slice(prefix.length), toFloat32(tensor));
  }
  return { architecture: await openArchitecture(arch ?? recorded, embeddingLength), weights };
}

/**
 * @param arch - @default the one whose tensors the file holds
 * @throws {FormatError} if no known arch fits, with what the nearest one lacks
 */
export async function readBackbone(file: string, arch?: string): Promise<Backbone> {
  if (extname(file) === '.safetensors' && (await isCheckpoint(file)))
    return await backboneOf(await readCheckpoint(file), file, arch);
  const opened = await openWeights(file);
  try {
    const { network, found } = await fitOf(opened, arch);
    const { names } = expectOfficialNames(file, found);
    const weights = new Map<string, Float32Array>();
    for (const [name, stored] of names) weights.set(name, toFloat32(await opened.read(stored)));
    if (weights.size > 0) return { architecture: network, weights };
    throw new FormatError(file, {
      expected: 'the weights of a backbone',
      problem: 'the file has none',
      remedy: 'pass the checkpoint of a whole network',
    });
  } finally {
    await opened.close();
  }
}

interface Fit {
  readonly network: Architecture;
  readonly found: OfficialNames;
}

/** The known arch with the fewest tensors missing from the file. */
async function fitOf({ tensors }: TensorFile, arch: string | undefined): Promise<Fit> {
  const fits: Fit[] = [];
  for (const name of arch === undefined ? architectureNames : [arch]) {
    const probe = fit(tensors, await openArchitecture(name));
    const last = probe.found.otherShape.find((one) => one.name === 'features.weight');
    const length = /^\((\d{1,5})\)$/.exec(last?.found ?? '')?.[1];
    fits.push(length === undefined ? probe : fit(tensors, await openArchitecture(name, Number(length))));
  }
  const lacks = ({ found }: Fit): number => (found.missing.length + found.otherShape.length) / (found.names.size + 1);
  const best = fits.reduce((a, b) => (lacks(b) < lacks(a) ? b : a));
  if (arch === undefined && best.found.names.size === 0) {
    throw new ConfigError('arch', {
      expected: `weights of one of ${architectureNames.join(', ')}`,
      problem: 'none fits',
      remedy: 'pass the --arch that they were trained with',
    });
  }
  return best;
}

function fit(tensors: TensorFile['tensors'], network: Architecture): Fit {
  const shapes = new Map(network.tensors.map(({ name, shape }) => [name, shape]));
  return { network, found: officialNames(tensors, shapes) };
}
