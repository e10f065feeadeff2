/** From trained weights to a model file. Needs no libtorch. */
import { type ExportOptions, exportOnnx } from './onnx-export.ts';
import { readBackbone } from './read-backbone.ts';

/**
 * @param file - a checkpoint of `magface train`, or any weights that {@link readBackbone} knows
 * @returns the bytes of an ONNX file with outputs `embedding` and `magnitude`
 */
export async function exportCheckpoint(file: string, options: ExportOptions = {}): Promise<Uint8Array> {
  const { architecture, weights } = await readBackbone(file);
  return exportOnnx(architecture, weights, options);
}
