/**
 * Fits how well a face of magnitude a agrees with its person's direction, and what faces have in common whoever they show. Groups
 * of faces are compared by both (`people/evidence.ts`).
 *
 *     cos(i, j) ≈ r_i · r_j for two faces of one person,   r = 1 / (1 + exp(−g0 − g1 · a))
 *
 * by least squares (Gauss and Newton), every person counting as much as any other.
 */
import { MagfaceError } from '../errors.ts';
import { type Calibration, magnitudeOf, qualityScore } from '../quality.ts';
import { product, unitRows } from '../row-products.ts';

/** Faces of known people. */
export interface KnownFaces {
  /** (N) of (D) float32, not normalized. */
  readonly embeddings: readonly Float32Array[];
  /** (N) */
  readonly people: readonly string[];
}

/** Faces of one person that are compared with each other. */
const mostFaces = 60;

/**
 * @returns g0 and g1
 * @throws {MagfaceError} `evaluation_impossible` without two faces of one person, or if a higher magnitude does not agree better
 */
export function fitAgreement({ embeddings, people }: KnownFaces): [number, number] {
  const byPerson = new Map<string, number[]>();
  for (const [row, person] of people.entries()) byPerson.set(person, [...(byPerson.get(person) ?? []), row]);
  const units = unitRows(embeddings);
  const dimension = embeddings[0]?.length ?? 0;
  const magnitudes = embeddings.map(magnitudeOf);
  const pairs: { readonly a: number; readonly b: number; readonly cosine: number; readonly weight: number }[] = [];
  for (const all of byPerson.values()) {
    const step = Math.max(1, all.length / mostFaces);
    const rows = Array.from({ length: Math.ceil(all.length / step) }, (_, k) => all[Math.floor(k * step)]!);
    const weight = 2 / (rows.length * (rows.length - 1));
    for (const [k, i] of rows.entries())
      for (const j of rows.slice(k + 1))
        pairs.push({
          ...{ a: magnitudes[i]!, b: magnitudes[j]!, weight },
          cosine: product(units, i * dimension, units, j * dimension, dimension),
        });
  }
  let [g0, g1] = [0, 0.1];
  for (let round = 0; round < 200; round++) {
    const r = (magnitude: number): number => 1 / (1 + Math.exp(-g0 - g1 * magnitude));
    let [h00, h01, h11, d0, d1] = [1e-12, 0, 1e-12, 0, 0];
    for (const { a, b, cosine, weight } of pairs) {
      const [ra, rb] = [r(a), r(b)];
      const [x, y] = [ra * rb * (2 - ra - rb), ra * rb * ((1 - ra) * a + (1 - rb) * b)];
      const error = weight * (cosine - ra * rb);
      h00 += weight * x * x;
      h01 += weight * x * y;
      h11 += weight * y * y;
      d0 += error * x;
      d1 += error * y;
    }
    const determinant = h00 * h11 - h01 * h01;
    const steps = [(h11 * d0 - h01 * d1) / determinant, (h00 * d1 - h01 * d0) / determinant] as const;
    const damping = Math.min(1, 1 / Math.max(Math.abs(steps[0]), Math.abs(steps[1])));
    if (!(damping > 0)) break;
    g0 += damping * steps[0];
    g1 += damping * steps[1];
    if (Math.abs(steps[0]) + Math.abs(steps[1]) < 1e-9) break;
  }
  if (pairs.length > 0 && g1 > 0) return [g0, g1];
  throw new MagfaceError('evaluation_impossible', {
    expected: 'faces of people that agree better the higher their magnitude',
    received: `a slope of ${g1} in ${pairs.length} pairs`,
    remedy: 'add faces of several qualities',
  });
}

/** Poor faces resemble each other. */
const poorQuality = 20;

/** @returns the mean directions of ordinary and of poor faces, as (2, D) int8 in base64 */
export function commonDirections({ embeddings }: Pick<KnownFaces, 'embeddings'>, calibration: Calibration): string {
  const dimension = embeddings[0]?.length ?? 0;
  const isPoor = (embedding: Float32Array): boolean => qualityScore(magnitudeOf(embedding), calibration) < poorQuality;
  const bytes = new Int8Array(2 * dimension);
  for (const [at, rows] of [
    embeddings.filter((row) => !isPoor(row)),
    embeddings.filter((row) => isPoor(row)),
  ].entries()) {
    const sum = new Float64Array(dimension);
    unitRows(rows).forEach((value, i) => {
      sum[i % dimension]! += value;
    });
    const most = sum.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
    for (let d = 0; d < dimension; d++) bytes[at * dimension + d] = most === 0 ? 0 : Math.round((127 * sum[d]!) / most);
  }
  return Buffer.from(bytes.buffer).toString('base64');
}
