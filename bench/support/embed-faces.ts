/** The features of aligned faces in files, as the benchmarks on real faces need them. */
import type { MagFace } from 'magface';

export interface EmbeddedFaces {
  /** (N, D) */
  readonly values: Float32Array;
  /** (N) */
  readonly magnitudes: Float64Array;
  readonly dimension: number;
}

/** @param flip - whether the mirrored face's feature is added @throws {Error} the first file's that cannot be used */
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
