/** From trained weights to a model file. Needs no libtorch. */
import { type ExportOptions, exportOnnx } from './onnx-export.ts';
import { readBackbone } from './read-backbone.ts';

export interface ExportCheckpointOptions extends ExportOptions {
  /** A name or a file, as {@link openArchitecture} takes it. @default the name that the checkpoint holds */
  readonly arch?: string;
}

/**
 * @param file - a checkpoint of `magface train`, or any weights that {@link readBackbone} knows
 * @returns the bytes of an ONNX file with outputs `embedding` and `magnitude`
 */
export async function exportCheckpoint(file: string, options: ExportCheckpointOptions = {}): Promise<Uint8Array> {
  const { architecture, weights } = await readBackbone(file, options.arch);
  return exportOnnx(architecture, weights, options);
}
