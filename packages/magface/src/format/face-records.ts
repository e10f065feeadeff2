/**
 * InsightFace's training sets in RecordIO: record 0 (flag 2) holds the range of identity records, each of those the range
 * of its images, so that a person is a run of keys:
 *
 *     record 0        labels [first identity key, end]
 *     image records   1 … first identity key - 1: label is the class (or its copy in packed labels)
 *     identity records  labels [first image key, end]
 *
 * Plain im2rec files have only images.
 */
import type { ImageRecord } from './image-record.ts';
import { createRecordWriter, type RecordFile } from './record-file.ts';

/** The images of a set; flat arrays, since MS1MV2 has 5.8 million. */
export interface FaceRecords {
  readonly keys: Float64Array;
  /** One class per key, from 0 without gaps. */
  readonly labels: Uint32Array;
  /** K. */
  readonly classes: number;
}

/**
 * Finds the people and the keys of their images; reads no image.
 *
 * @throws {FormatError} if a record is damaged or a range is invalid
 */
export function readFaceRecords(file: RecordFile): FaceRecords {
  const header = file.has(0) ? file.readLabelsSync(0) : undefined;
  const [begin = Number.NaN, end = Number.NaN, ...more] = header?.labels ?? [];
  const isHeader = header?.isImage === false && more.length === 0 && Number.isSafeInteger(end);
  if (isHeader && end > begin && file.has(begin)) return fromRanges(file, [begin, end]);
  return fromLabels(file);
}

function fromRanges(file: RecordFile, identities: readonly [number, number]): FaceRecords {
  const [keys, labels]: [number[], number[]] = [[], []];
  let spanned = 0;
  const range = (values: readonly number[], key: number): readonly [number, number] => {
    const [begin = Number.NaN, end = Number.NaN] = values;
    const possible = Number.isSafeInteger(begin) && end >= begin && end - begin <= file.keys.length;
    spanned += end - begin;
    if (possible && spanned <= 2 * file.keys.length) return [begin, end]; // identities and images, each key once
    throw file.error(
      {
        expected: `a range of keys in record ${key}`,
        received: `${begin} to ${end}`,
        remedy: 'write the index again',
      },
      key,
    );
  };
  const [first, last] = range(identities, 0);
  for (let identity = first; identity < last; identity++) {
    const [begin, end] = range(file.readLabelsSync(identity).labels, identity);
    for (let key = begin; key < end; key++) {
      if (!file.has(key)) continue;
      keys.push(key);
      labels.push(identity - first);
    }
  }
  return { keys: Float64Array.from(keys), labels: Uint32Array.from(labels), classes: last - first };
}

/** For plain im2rec and sets without identity records: the images' own labels, renumbered without gaps. */
function fromLabels(file: RecordFile): FaceRecords {
  const [keys, ids]: [number[], number[]] = [[], []];
  for (const key of file.keys) {
    const { labels, isImage } = file.readLabelsSync(key);
    if (!isImage) continue;
    const [id = Number.NaN] = labels;
    if (!Number.isFinite(id))
      throw file.error({ expected: `a label on record ${key}`, received: id, remedy: 'write the set again' }, key);
    keys.push(key);
    ids.push(id);
  }
  const known = new Map([...new Set(ids)].sort((a, b) => a - b).map((id, label) => [id, label]));
  return { keys: Float64Array.from(keys), labels: Uint32Array.from(ids, (id) => known.get(id)!), classes: known.size };
}

/** One person's images, for {@link writeFaceRecords}. */
export type FaceIdentity = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** Labels are float32, which represents all integers up to this one. */
const largestLabel = 2 ** 24;

/**
 * Writes a set in InsightFace's layout: images, then one record per person, and record 0 at the end of the file, where the
 * ranges are known; readers find it by the index. A set with more keys than labels can represent has no ranges, and readers
 * use the images' own labels.
 *
 * @param largestKey - largest key allowed in ranges
 */
export async function writeFaceRecords(
  path: string,
  identities: Iterable<FaceIdentity>,
  largestKey: number = largestLabel,
): Promise<{ readonly images: number; readonly classes: number }> {
  const writer = await createRecordWriter(path);
  const ranges: [number, number][] = [];
  let images = 0;
  const about = (id: number, labels: readonly number[]): ImageRecord => ({
    labels,
    id,
    id2: 0,
    image: new Uint8Array(0),
    packed: true,
  });
  try {
    let key = 1;
    for (const images of identities) {
      const [label, first] = [ranges.length, key];
      for await (const image of images) {
        await writer.write(key, { labels: [label], id: key, id2: 0, image });
        key++;
      }
      ranges.push([first, key]);
    }
    const firstIdentity = key;
    images = key - 1;
    if (firstIdentity + ranges.length <= largestKey) {
      for (const range of ranges) await writer.write(key, about(key++, range));
      await writer.write(0, about(0, [firstIdentity, key]));
    }
  } catch (error) {
    await writer.discard();
    throw error;
  }
  await writer.close();
  return { images, classes: ranges.length };
}
