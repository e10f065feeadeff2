/** Identification on a set of single images: each image is a template of its own. */
import { unitRows } from '../row-products.ts';
import { type Identification, type IdentificationOptions, identify } from './identification.ts';
import type { IdentificationSet } from './layouts/tinyface.ts';

/**
 * Searches every probe among the gallery and the distractors. Ranks count images, as in TinyFace's own script: a probe is found
 * at rank r if fewer than r images of other people are as alike as its person's most alike image.
 *
 * @param features - (N, D) float32 in the order of the set's images, not normalized
 */
export async function identifySet(
  set: Pick<IdentificationSet, 'gallery' | 'probes'>,
  { values, dimension }: { readonly values: Float32Array; readonly dimension: number },
  { ranks = [1, 5, 10, 20], threads }: Pick<IdentificationOptions, 'ranks' | 'threads'> = {},
): Promise<Identification> {
  const count = values.length / dimension;
  const rows = Array.from({ length: count }, (_, i) => values.subarray(i * dimension, (i + 1) * dimension));
  const vectors = new Float32Array(new SharedArrayBuffer(values.length * 4));
  vectors.set(unitRows(rows));
  const ids = Int32Array.from({ length: count }, (_, row) => row);
  const split = set.gallery.length;
  return identify(
    { ids, vectors, dimension },
    { template: ids.subarray(0, split), subject: set.gallery },
    {
      probes: { template: ids.subarray(split), subject: set.probes },
      ranks,
      fpir: [],
      rankBy: 'templates',
      ...(threads !== undefined && { threads }),
    },
  );
}
