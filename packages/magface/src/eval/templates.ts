/**
 * IJB templates: one vector for several images of a person. With f the features of media m of template T:
 *
 *     v_m = mean of f over m;   plain: v_m / ‖v_m‖   magnitude-weighted: v_m as it is;   T = mean of them over T's media
 *
 * A large magnitude means a good face, so without the division good media weigh more (MagFace+).
 * Frames within one media are weighted by magnitude in both, as in the official code.
 *
 * @see official eval_ijb: image2template_feature
 */
import { ShapeError } from '../errors.ts';
import type { FeatureBlock } from '../format/feature-block.ts';
import type { FaceTemplates } from './ijb-files.ts';

/** Templates as unit vectors. */
export interface Templates {
  /** (T) template numbers, in the order of their rows. */
  readonly ids: Int32Array;
  /** (T, D) float32 of length 1, in shared memory. */
  readonly vectors: Float32Array;
  readonly dimension: number;
}

/** Options for building templates. */
export interface TemplateOptions {
  /** Weight each media by magnitude (MagFace+). @default false */
  readonly magnitudeWeighted?: boolean;
}

/**
 * Streams features; only the templates and the incomplete media are kept in memory.
 *
 * @param dimension - D, the length of one feature
 * @param blocks - features in the order of `faces`
 * @throws {ShapeError} if features and faces differ in number or name, or a mean has no direction
 */
export async function buildTemplates(
  blocks: AsyncIterable<FeatureBlock> | Iterable<FeatureBlock>,
  dimension: number,
  options: TemplateOptions & { readonly faces: FaceTemplates },
): Promise<Templates> {
  const { faces, magnitudeWeighted = false } = options;
  const plan = planTemplates(faces);
  const vectors = new Float32Array(new SharedArrayBuffer(plan.ids.length * dimension * 4));
  const open = new Map<number, Float64Array>();
  let row = 0;
  for await (const { values, names } of blocks) {
    for (let at = 0, i = 0; at < values.length; at += dimension, i++, row++) {
      expectFace(faces, row, names?.[i]);
      const media = plan.mediaOf[row]!;
      const sum = open.get(media) ?? new Float64Array(dimension);
      for (let d = 0; d < dimension; d++) sum[d]! += values[at + d]!;
      open.set(media, sum);
      if (--plan.imagesLeft[media]! > 0) continue;
      open.delete(media);
      const scale = 1 / (magnitudeWeighted ? plan.images[media]! : lengthOf(sum, () => faces.names[row] ?? ''));
      const target = plan.templateOf[media]! * dimension;
      for (let d = 0; d < dimension; d++) vectors[target + d]! += sum[d]! * scale;
    }
  }
  if (row !== faces.template.length) throw wrongCount(faces.template.length, row);
  for (let t = 0; t < plan.ids.length; t++) {
    const vector = vectors.subarray(t * dimension, (t + 1) * dimension);
    const length = lengthOf(vector, () => `template ${plan.ids[t]}`);
    for (let d = 0; d < dimension; d++) vector[d]! /= length;
  }
  return { ids: plan.ids, vectors, dimension };
}

interface Plan {
  readonly ids: Int32Array;
  /** (N) number of the media, from 0, unique over all templates. */
  readonly mediaOf: Int32Array;
  /** Per media: its images, those remaining, and the row of its template. */
  readonly images: Int32Array;
  readonly imagesLeft: Int32Array;
  readonly templateOf: Int32Array;
}

function planTemplates({ template, media }: FaceTemplates): Plan {
  const templateRows = new Map<number, number>();
  const mediaRows = new Map<number, number>();
  const mediaOf = new Int32Array(template.length);
  const [images, templateOf] = [new Int32Array(template.length), new Int32Array(template.length)];
  for (let i = 0; i < template.length; i++) {
    const row = numbered(templateRows, template[i]!);
    const group = numbered(mediaRows, row * 2 ** 30 + media[i]!); // media are below 2^30, rows far below 2^23
    mediaOf[i] = group;
    images[group]!++;
    templateOf[group] = row;
  }
  return { ids: Int32Array.from(templateRows.keys()), mediaOf, images, imagesLeft: images.slice(), templateOf };
}

/** The number of a key, assigned at its first use. */
function numbered(known: Map<number, number>, key: number): number {
  const number = known.get(key) ?? known.size;
  if (number === known.size) known.set(key, number);
  return number;
}

function lengthOf(vector: Float32Array | Float64Array, what: () => string): number {
  let sum = 0;
  for (let d = 0; d < vector.length; d++) sum += vector[d]! ** 2;
  if (sum > 0 && sum < Number.POSITIVE_INFINITY) return Math.sqrt(sum);
  throw new ShapeError({
    expected: 'features with a direction',
    problem: `the mean at ${what()} is ${sum === 0 ? 'all zeros' : 'not finite'}`,
    remedy: 'embed those images again',
  });
}

/** Compares only the last part of names: lists and features often have different folders. */
function expectFace(faces: FaceTemplates, row: number, name: string | undefined): void {
  if (row >= faces.template.length) throw wrongCount(faces.template.length, `more than ${row}`);
  if (name === undefined || lastPart(name) === lastPart(faces.names[row]!)) return;
  throw new ShapeError({
    expected: "the features in the order of the protocol's list",
    problem: `line ${row + 1} is "${name}" instead of "${faces.names[row]}"`,
    remedy: "embed the images in the list's order",
  });
}

const lastPart = (name: string): string => name.slice(name.lastIndexOf('/') + 1);

const wrongCount = (faces: number, features: number | string): ShapeError =>
  new ShapeError({
    expected: `${faces} features (one per line of the protocol's list)`,
    received: features,
    remedy: 'embed all images of the list',
  });
