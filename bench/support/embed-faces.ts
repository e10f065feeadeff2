/** Embeds aligned faces from files, for benchmarks on real faces. */
import type { MagFace } from 'magface';

export interface EmbeddedFaces {
  /** (N, D) */
  readonly values: Float32Array;
  /** (N) */
  readonly magnitudes: Float64Array;
  readonly dimension: number;
}

/** @param flip - whether to add the feature of the mirrored face @throws {Error} for the first unusable file */
export async function embedFaces(magface: MagFace, paths: readonly string[], flip: boolean): Promise<EmbeddedFaces> {
  const dimension = magface.model.contract.embeddingLength;
  const values = new Float32Array(paths.length * dimension);
  const magnitudes = new Float64Array(paths.length);
  for await (const { index, faces, error } of magface.stream(paths, { aligned: true, flip })) {
    if (error !== undefined) throw error;
    values.set(faces[0]!.embedding, index * dimension);
    magnitudes[index] = faces[0]!.magnitude;
    if (index % 1000 === 0) process.stderr.write(`${magface.model.name} ${index}\n`);
  }
  return { values, magnitudes, dimension };
}
