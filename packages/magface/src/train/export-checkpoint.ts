/** From a checkpoint of `magface train` to a model file. Needs no libtorch. */
import { FormatError } from '../errors.ts';
import { toFloat32 } from '../format/tensor.ts';
import { architecture } from './architectures.ts';
import { type CheckpointContent, readCheckpoint } from './checkpoint-file.ts';
import type { Weights } from './fold.ts';
import type { Architecture } from './layers.ts';
import { type ExportOptions, exportOnnx } from './onnx-export.ts';

const prefix = 'features.';

/** The backbone of a checkpoint: its network and its weights by PyTorch's names. */
export function backboneOf(
  { tensors, state }: CheckpointContent,
  file: string,
): { architecture: Architecture; weights: Weights } {
  const { arch, embeddingLength } = state as { arch?: string; embeddingLength?: number };
  if (arch === undefined || embeddingLength === undefined) {
    throw new FormatError(file, 'Expected a checkpoint that names its arch but this one does not.');
  }
  const weights = new Map<string, Float32Array>();
  for (const [name, tensor] of tensors) {
    if (name.startsWith(prefix) && tensor.dtype === 'F32') weights.set(name.slice(prefix.length), toFloat32(tensor));
  }
  return { architecture: architecture(arch, embeddingLength), weights };
}

/** @returns the bytes of an ONNX file with outputs `embedding` and `magnitude` */
export async function exportCheckpoint(file: string, options: ExportOptions = {}): Promise<Uint8Array> {
  const { architecture: network, weights } = backboneOf(await readCheckpoint(file), file);
  return exportOnnx(network, weights, options);
}
